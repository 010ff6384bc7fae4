import { UNKNOWN_BEHAVIOUR, type HookName } from '@awl/api';
import { AwlError } from '@awl/wire';
import { Type, type Static, type TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Value } from 'typebox/value';
import { describeErrors } from '../manifest/errors.ts';

/*
 * What may come out of a plugin process. Every byte of it is hostile until it passed one of these. Unknown keys are taken out.
 */

const Id = Type.String({ maxLength: 100 });
const Address = Type.String({ maxLength: 64 });
const Port = Type.Integer({ minimum: 0, maximum: 65_535 });
const Endpoint = Type.Object({ address: Address, port: Port });
const Scope = Type.Integer({ minimum: 0 });
const Lease = Type.String({ maxLength: 200 });
const TimeMs = Type.Number({ minimum: -600_000, maximum: 3_600_000 });
const TimeoutMs = Type.Optional(Type.Number({ minimum: 0, maximum: 3_600_000 }));
const Ttl = Type.Optional(Type.Integer({ minimum: 1, maximum: 255 }));
/** 1200 bytes in base64, and some room. */
const Payload = Type.String({ maxLength: 2048 });
const Text = Type.String({ maxLength: 4000 });
const Message = Type.Unknown();
const list = <T extends TSchema>(items: T, maxItems: number) => Type.Array(items, { maxItems });

/** What a plugin process may ask of the node. */
const REQUESTS = {
  'sockets.open': Type.Object({
    scope: Scope,
    protocol: Type.Enum(['udp', 'tcp']),
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1024 })),
    family: Type.Optional(Type.Enum([4, 6])),
    localAddress: Type.Optional(Address),
  }),
  'lease.reflexive': Type.Object({ lease: Lease }),
  'lease.mapped': Type.Object({ lease: Lease }),
  'lease.schedule': Type.Object({
    lease: Lease,
    packets: list(
      Type.Object({
        kind: Type.Enum(['check', 'raw']),
        to: Endpoint,
        atMs: TimeMs,
        ttl: Ttl,
        payload: Type.Optional(Payload),
      }),
      4096,
    ),
  }),
  'lease.sweep': Type.Object({
    lease: Lease,
    sweep: Type.Object({
      kind: Type.Literal('check'),
      to: Address,
      ports: Type.Union([Type.Literal('random'), list(Port, 65_536)]),
      seed: Type.Optional(Type.Number()),
      count: Type.Integer({ minimum: 0, maximum: 65_536 }),
      ratePps: Type.Number({ minimum: 0, maximum: 1_000_000 }),
      atMs: Type.Optional(TimeMs),
      ttl: Ttl,
    }),
  }),
  'lease.dial': Type.Object({
    lease: Lease,
    to: Endpoint,
    atMs: Type.Optional(TimeMs),
    timeoutMs: TimeoutMs,
  }),
  'lease.listen': Type.Object({ lease: Lease }),
  'attempt.nextCheck': Type.Object({ scope: Scope, timeoutMs: TimeoutMs }),
  'attempt.exchange': Type.Object({ scope: Scope, message: Message }),
  'attempt.nextMessage': Type.Object({ scope: Scope, timeoutMs: TimeoutMs }),
  'storage.get': Type.Object({ key: Text }),
  'storage.set': Type.Object({ key: Text, value: Message }),
  'storage.delete': Type.Object({ key: Text }),
  'host.gateways': Type.Object({}),
  'host.lanHttp': Type.Object({
    url: Type.String({ maxLength: 2048 }),
    method: Type.Enum(['GET', 'POST']),
    headers: Type.Optional(Type.Record(Type.String({ maxLength: 100 }), Text)),
    body: Type.Optional(Type.String({ maxLength: 65_536 })),
    maxBytes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_048_576 })),
  }),
  'lan.open': Type.Object({
    multicastGroup: Type.Optional(Address),
    localAddress: Type.Optional(Address),
    port: Type.Optional(Port),
  }),
} as const;

/** What it may tell the node. */
const NOTIFICATIONS = {
  log: Type.Object({
    level: Type.Enum(['debug', 'info', 'warn', 'error']),
    message: Type.String(),
    data: Type.Optional(Message),
  }),
  registered: Type.Object({
    strategies: list(Id, 16),
    portMappers: list(Id, 32),
    natProbes: list(Id, 32),
    commands: list(Id, 32),
    hooks: list(Id, 64),
  }),
  view: Type.Object({ id: Id, data: Message }),
  status: Type.Object({ id: Id, text: Text }),
  progress: Type.Object({
    scope: Scope,
    done: Type.Number(),
    of: Type.Number(),
    etaMs: Type.Optional(Type.Number()),
  }),
  'lease.dispose': Type.Object({ lease: Lease }),
  'lease.receive': Type.Object({ lease: Lease, on: Type.Boolean() }),
  'lan.send': Type.Object({ socket: Type.Integer(), payload: Payload, to: Endpoint }),
  'lan.close': Type.Object({ socket: Type.Integer() }),
  'state.want': Type.Object({}),
} as const;

const behaviourFields = Object.keys(UNKNOWN_BEHAVIOUR).concat('step', 'lifetimeS', 'external');
const Candidate = Type.Object({
  type: Type.Enum(['host', 'server-reflexive', 'mapped', 'predicted', 'relayed']),
  protocol: Type.Enum(['udp', 'tcp']),
  endpoint: Endpoint,
  priority: Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 }),
  base: Type.Optional(Endpoint),
  leaseId: Type.Optional(Lease),
});
const Evidence = Type.Object({
  protocol: Type.Enum(['udp', 'tcp']),
  field: Type.Enum(behaviourFields),
  value: Message,
  weight: Type.Number({ minimum: 0, maximum: 1 }),
  observation: Type.String({ maxLength: 500 }),
  source: Id,
});
const unknownOr = (...values: readonly string[]) => Type.Enum([...values, 'unknown']);
const yesNo = Type.Union([Type.Boolean(), Type.Literal('unknown')]);
const TransportBehaviour = Type.Object({
  blocked: yesNo,
  natted: yesNo,
  mapping: unknownOr('EIM', 'ADM', 'APDM'),
  filtering: unknownOr('EIF', 'ADF', 'APDF'),
  allocation: unknownOr('preserving', 'contiguous', 'block', 'random'),
  step: Type.Optional(Type.Integer()),
  pooling: unknownOr('paired', 'arbitrary'),
  hairpin: yesNo,
  unsolicited: unknownOr('drop', 'rst', 'icmp'),
  lifetimeS: Type.Optional(Type.Number()),
  external: Type.Optional(Endpoint),
  confidence: Type.Record(Type.String(), Type.Number()),
});
const PortMapping = Type.Object({
  protocol: Type.Enum(['udp', 'tcp']),
  internalPort: Port,
  externalPort: Port,
  lifetimeS: Type.Number({ minimum: 0 }),
  externalAddress: Address,
  handle: Type.String({ maxLength: 4096 }),
});

/** What it may answer. */
const ANSWERS = {
  'strategy.assess': Type.Object({
    likelihood: Type.Number(),
    expectedMs: Type.Optional(Type.Number()),
    probes: Type.Optional(Type.Number()),
    reason: Text,
  }),
  'strategy.prepare': Type.Object({ leases: list(Lease, 1024), advert: Type.Optional(Message) }),
  'strategy.punch': Type.Union([
    Type.Object({ outcome: Type.Literal('connected'), lease: Lease, remote: Endpoint }),
    Type.Object({
      outcome: Type.Literal('failed'),
      code: Type.Enum([
        'no-answer',
        'no-candidates',
        'refused',
        'budget',
        'aborted',
        'unsuitable',
        'bad-advert',
        'internal',
      ]),
      reason: Text,
    }),
  ]),
  'mapper.discover': Type.Union([
    Type.Null(),
    Type.Object({
      address: Address,
      description: Type.String({ maxLength: 300 }),
      externalAddress: Type.Optional(Address),
    }),
  ]),
  'mapper.map': PortMapping,
  'mapper.refresh': PortMapping,
  'mapper.unmap': Type.Unknown(),
  'probe.gather': list(Evidence, 256),
  'command.run': Type.Unknown(),
} as const;

const Plan = list(
  Type.Object({
    strategy: Id,
    startMs: Type.Number(),
    deadlineMs: Type.Number(),
    sockets: Type.Integer(),
    probes: Type.Integer(),
  }),
  64,
);
const BehaviourVector = Type.Object({
  udp: TransportBehaviour,
  tcp: TransportBehaviour,
  layers: Type.Optional(Type.Integer()),
  ipv6: Type.Optional(Type.Boolean()),
});
const Denial = Type.Object({ deny: Type.String({ maxLength: 500 }) });

/** What a tap of it may return; hooks that are not here return nothing. */
const HOOK_RESULTS: { readonly [Name in HookName]?: TSchema } = {
  'nat.evidence': list(Evidence, 256),
  'nat.classify': BehaviourVector,
  'candidate.gather': list(Candidate, 32),
  'candidate.filter': list(Candidate, 64),
  'candidate.prioritize': list(Candidate, 64),
  'peer.authorize': Denial,
  'punch.plan': Plan,
  'path.rank': list(Type.Object({ strategy: Id, rttMs: Type.Number(), rank: Type.Number() }), 64),
  'transport.choose': Id,
  'forward.accept': Denial,
  'metrics.sample': list(Type.Object({ name: Id, value: Type.Number() }), 64),
};

export type Requests = { [Name in keyof typeof REQUESTS]: Static<(typeof REQUESTS)[Name]> };
export type Notifications = { [Name in keyof typeof NOTIFICATIONS]: Static<(typeof NOTIFICATIONS)[Name]> };
export type Answers = { [Name in keyof typeof ANSWERS]: Static<(typeof ANSWERS)[Name]> };

const validators = new WeakMap<TSchema, Validator>();

/** The value as its schema describes it, without anything else. Throws `ERR_WIRE_SCHEMA`. */
function checked(schema: TSchema, value: unknown, what: string): unknown {
  let validator = validators.get(schema);
  if (!validator) validators.set(schema, (validator = Compile(schema)));
  if (validator.Check(value)) return Value.Clean(schema, value);
  throw new AwlError('ERR_WIRE_SCHEMA', `${what}: ${describeErrors(validator.Errors(value), schema)}`);
}

export function isRequest(method: string): method is keyof Requests {
  return Object.hasOwn(REQUESTS, method);
}

export function isNotification(method: string): method is keyof Notifications {
  return Object.hasOwn(NOTIFICATIONS, method);
}

export function checkRequest<Name extends keyof Requests>(method: Name, params: unknown): Requests[Name] {
  return checked(REQUESTS[method], params, method) as Requests[Name];
}

export function checkNotification<Name extends keyof Notifications>(
  method: Name,
  params: unknown,
): Notifications[Name] {
  return checked(NOTIFICATIONS[method], params, method) as Notifications[Name];
}

export function checkAnswer<Name extends keyof Answers>(method: Name, answer: unknown): Answers[Name] {
  return checked(ANSWERS[method], answer, `answer to ${method}`) as Answers[Name];
}

/** What a tap returned, `undefined` where it returned nothing. */
export function checkHookResult(name: HookName, answer: unknown): unknown {
  const schema = HOOK_RESULTS[name];
  if (answer === null || answer === undefined || !schema) return undefined;
  return checked(schema, answer, `result of ${name}`);
}
