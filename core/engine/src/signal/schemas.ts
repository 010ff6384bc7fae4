import type { JsonValue } from '@awl/api';
import { Type } from 'typebox';

/**
 * Bodies of the sealed signalling messages. The size of the whole is bounded by the seal, every part here. Unknown optional fields are
 * ignored, so that later versions may add some.
 */
export const SIGNAL_VERSION = 1;

/** Kinds of sealed messages. */
export const SIGNAL_KINDS = [
  'offer',
  'answer',
  'go',
  'exchange',
  'pair-1',
  'pair-2',
  'pair-3',
  'pair-4',
] as const;
export type SignalKind = (typeof SIGNAL_KINDS)[number];

export const CANDIDATES_MAX = 32;
export const STRATEGIES_MAX = 32;
export const PLAN_ENTRIES_MAX = 64;
/** Of an advert or an exchanged message, as JSON. */
export const ADVERT_MAX_BYTES = 1024;
const REASON_MAX_CHARS = 300;
/** Longest time that any message may name, milliseconds. */
const DURATION_MAX_MS = 600_000;

const Bytes = (length: number) => Type.String({ pattern: `^[A-Za-z0-9_-]{${Math.ceil((length * 4) / 3)}}$` });
const BytesUpTo = (length: number) =>
  Type.String({ pattern: `^[A-Za-z0-9_-]{1,${Math.ceil((length * 4) / 3)}}$` });
const Identifier = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,63}$' });
/** `name@major`. */
const StrategyId = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,47}@[0-9]{1,4}$' });
const Reason = Type.String({ maxLength: REASON_MAX_CHARS });
const Instant = Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Duration = Type.Number({ minimum: 0, maximum: DURATION_MAX_MS });
const Json = Type.Unsafe<JsonValue>({});

export const Endpoint = Type.Object({
  address: Type.String({ minLength: 2, maxLength: 45 }),
  port: Type.Integer({ minimum: 1, maximum: 65535 }),
});
const Candidate = Type.Object({
  type: Type.Enum(['host', 'server-reflexive', 'mapped', 'predicted', 'relayed']),
  protocol: Type.Enum(['udp', 'tcp']),
  endpoint: Endpoint,
  priority: Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 }),
  base: Type.Optional(Endpoint),
  leaseId: Type.Optional(Identifier),
});

const Known = Type.Union([Type.Boolean(), Type.Literal('unknown')]);
const TransportBehaviour = Type.Object({
  blocked: Known,
  natted: Known,
  mapping: Type.Enum(['EIM', 'ADM', 'APDM', 'unknown']),
  filtering: Type.Enum(['EIF', 'ADF', 'APDF', 'unknown']),
  allocation: Type.Enum(['preserving', 'contiguous', 'block', 'random', 'unknown']),
  step: Type.Optional(Type.Integer({ minimum: -65535, maximum: 65535 })),
  pooling: Type.Enum(['paired', 'arbitrary', 'unknown']),
  hairpin: Known,
  unsolicited: Type.Enum(['drop', 'rst', 'icmp', 'unknown']),
  lifetimeS: Type.Optional(Type.Number({ minimum: 0, maximum: 1_000_000 })),
  external: Type.Optional(Endpoint),
  confidence: Type.Record(
    Type.String({ pattern: '^[a-zA-Z]{1,32}$' }),
    Type.Number({ minimum: 0, maximum: 1 }),
    {
      maxProperties: 32,
      additionalProperties: false,
    },
  ),
});
const BehaviourVector = Type.Object({
  udp: TransportBehaviour,
  tcp: TransportBehaviour,
  layers: Type.Optional(Type.Integer({ minimum: 0, maximum: 16 })),
  ipv6: Type.Optional(Type.Boolean()),
});

const Assessment = Type.Object({
  likelihood: Type.Number({ minimum: 0, maximum: 1 }),
  expectedMs: Type.Optional(Duration),
  probes: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  reason: Reason,
});
/** A strategy that this side can use, what it makes of the pair, and its advert to the same strategy at the other side. */
const StrategyAdvert = Type.Object({
  id: StrategyId,
  assessment: Type.Optional(Assessment),
  advert: Type.Optional(Json),
});

/** What both offer and answer tell of their sender's side. */
const side = {
  version: Type.Literal(SIGNAL_VERSION),
  /** This side's part of the attempt key. */
  random: Bytes(32),
  behaviour: BehaviourVector,
  candidates: Type.Array(Candidate, { maxItems: CANDIDATES_MAX }),
  strategies: Type.Array(StrategyAdvert, { maxItems: STRATEGIES_MAX }),
  /** Transports for UDP paths, best first. */
  transports: Type.Array(Identifier, { maxItems: 8 }),
  /** Keyed fingerprints of gateways: an equal one on both sides means the same network. */
  gateways: Type.Array(Type.String({ minLength: 1, maxLength: 44 }), { maxItems: 8 }),
  name: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$' })),
  /** This side's user allows searches of a whole range of ports. */
  exhaustive: Type.Optional(Type.Boolean()),
  /** The session that the new path is for; in an answer: the answering side still has it. Without one: a new session. */
  session: Type.Optional(Bytes(16)),
};

/** Why the answering side should take the offer. */
const Auth = Type.Union([
  Type.Object({ by: Type.Literal('ticket'), ticket: Bytes(8), proof: Bytes(32) }),
  Type.Object({ by: Type.Literal('password'), proof: Bytes(32) }),
  Type.Object({ by: Type.Literal('remembered') }),
]);
/** What the dialer came for; without a share and a target: whatever the ticket or the rules allow. */
export const Want = Type.Object({
  share: Type.Optional(Identifier),
  target: Type.Optional(Type.String({ minLength: 1, maxLength: 270 })),
  protocol: Type.Optional(Type.Enum(['tcp', 'udp'])),
});

export const Refusal = Type.Object({
  outcome: Type.Literal('refused'),
  code: Type.String({ pattern: '^ERR_[A-Z0-9_]{1,60}$' }),
  reason: Reason,
  /** When it makes sense to come back. */
  retryAfterMs: Type.Optional(Type.Number({ minimum: 0, maximum: 86_400_000 })),
});

export const Offer = Type.Object({
  ...side,
  auth: Auth,
  want: Type.Optional(Want),
  /** Which paths the user allows. */
  transport: Type.Optional(Type.Enum(['any', 'udp', 'tcp'])),
  /** The offer's departure by its sender's monotonic clock. */
  clock: Type.Object({ sentMs: Instant }),
});
export const Accepted = Type.Object({
  ...side,
  outcome: Type.Literal('accepted'),
  /** The offer's arrival and the answer's departure by the answering side's monotonic clock: with the dialer's own two, its offset. */
  clock: Type.Object({ receivedMs: Instant, sentMs: Instant }),
});
const PlanEntry = Type.Object({
  strategy: StrategyId,
  startMs: Duration,
  deadlineMs: Duration,
  sockets: Type.Integer({ minimum: 0, maximum: 4096 }),
  probes: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
});
export const Go = Type.Object({
  /** The nonce of the answer's envelope: whoever says it has opened the answer. */
  answerNonce: Bytes(16),
  plan: Type.Array(PlanEntry, { maxItems: PLAN_ENTRIES_MAX }),
  /** The agreed start by the receiver's monotonic clock. */
  startAtMs: Instant,
});
export const Exchange = Type.Object({ strategy: StrategyId, message: Json });

export const Pair1 = Type.Object({ request: BytesUpTo(256) });
export const Paired2 = Type.Object({ outcome: Type.Literal('accepted'), response: BytesUpTo(1024) });
export const Pair3 = Type.Object({ finish: BytesUpTo(256), confirmation: Bytes(32) });
export const Paired4 = Type.Object({ outcome: Type.Literal('accepted'), confirmation: Bytes(32) });
