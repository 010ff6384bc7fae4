import type { Candidate, Endpoint } from './address.ts';
import type { BehaviourVector } from './behaviour.ts';
import type { JsonValue } from './json.ts';
import type { PortMapping } from './mapper.ts';
import type { Evidence } from './probe.ts';
import type { Assessment, Pair, PunchOutcome, Role } from './strategy.ts';

/**
 * How the taps of a hook are called.
 * `event`: all, nobody waits. `series`: one after the other, awaited. `collect`: each returns a list, joined.
 * `waterfall`: each may return a changed value for the next. `bail`: the first that returns something other than undefined decides.
 */
export type HookKind = 'event' | 'series' | 'collect' | 'waterfall' | 'bail';

/** A denial by an authorizing hook; nothing else can be said by one. */
export interface Denial {
  readonly deny: string;
}

/** One strategy's place in a plan. */
export interface PlanEntry {
  readonly strategy: string;
  /** Milliseconds after the agreed start. */
  readonly startMs: number;
  readonly deadlineMs: number;
  readonly sockets: number;
  readonly probes: number;
}

interface Hook<Kind extends HookKind, Value, Result = void> {
  kind: Kind;
  value: Value;
  result: Result;
}

/** Every hook: its kind, what a tap receives, what it may return. */
export interface HookMap {
  'network.didChange': Hook<'event', { readonly addresses: readonly string[] }>;
  'nat.evidence': Hook<'collect', { readonly network: string }, readonly Evidence[]>;
  'nat.classify': Hook<'waterfall', BehaviourVector, BehaviourVector>;
  'nat.didChange': Hook<'event', BehaviourVector>;
  'candidate.gather': Hook<'collect', { readonly peer: string }, readonly Candidate[]>;
  'candidate.filter': Hook<'waterfall', readonly Candidate[], readonly Candidate[]>;
  'candidate.prioritize': Hook<'waterfall', readonly Candidate[], readonly Candidate[]>;
  'signal.willSend': Hook<
    'series',
    { readonly peer: string; readonly kind: string; readonly sizeBytes: number }
  >;
  'signal.didReceive': Hook<
    'event',
    { readonly peer: string; readonly kind: string; readonly sizeBytes: number }
  >;
  'peer.authorize': Hook<
    'bail',
    { readonly peer: string; readonly name?: string; readonly by: 'ticket' | 'password' | 'remembered' },
    Denial
  >;
  'peer.didAppear': Hook<'event', { readonly peer: string; readonly name: string }>;
  'punch.plan': Hook<'waterfall', readonly PlanEntry[], readonly PlanEntry[]>;
  'punch.willAttempt': Hook<
    'series',
    {
      readonly peer: string;
      readonly strategy: string;
      readonly pair: Pair;
      readonly assessment?: Assessment;
    }
  >;
  'punch.didAttempt': Hook<
    'event',
    {
      readonly peer: string;
      readonly strategy: string;
      readonly outcome: PunchOutcome['outcome'];
      readonly ms: number;
      readonly probes: number;
    }
  >;
  'punch.didSucceed': Hook<
    'event',
    { readonly peer: string; readonly strategy: string; readonly ms: number }
  >;
  'punch.didFail': Hook<'event', { readonly peer: string; readonly code: string; readonly reason: string }>;
  'path.rank': Hook<
    'waterfall',
    readonly { readonly strategy: string; readonly rttMs: number; readonly rank: number }[],
    readonly { readonly strategy: string; readonly rttMs: number; readonly rank: number }[]
  >;
  'path.willSwitch': Hook<'series', { readonly peer: string; readonly from?: string; readonly to: string }>;
  'path.didSelect': Hook<
    'event',
    {
      readonly peer: string;
      readonly strategy: string;
      readonly transport: string;
      readonly remote: Endpoint;
      readonly rttMs: number;
    }
  >;
  'mapping.didChange': Hook<'event', { readonly mapper: string; readonly mapping: PortMapping | null }>;
  'transport.choose': Hook<'bail', { readonly peer: string; readonly available: readonly string[] }, string>;
  'session.didOpen': Hook<'event', { readonly peer: string; readonly session: string; readonly role: Role }>;
  'session.didClose': Hook<
    'event',
    { readonly peer: string; readonly session: string; readonly code: string }
  >;
  'forward.willOpen': Hook<
    'series',
    { readonly forward: string; readonly listen: string; readonly peer: string }
  >;
  'forward.accept': Hook<
    'bail',
    { readonly peer: string; readonly target: string; readonly protocol: 'tcp' | 'udp' },
    Denial
  >;
  'metrics.sample': Hook<
    'collect',
    { readonly atMs: number },
    readonly { readonly name: string; readonly value: number }[]
  >;
  'config.didChange': Hook<'event', { readonly key: string; readonly value: JsonValue }>;
  'plugin.didChange': Hook<'event', { readonly plugin: string; readonly state: string }>;
}

export type HookName = keyof HookMap;
export type HookValue<Name extends HookName> = HookMap[Name]['value'];
export type HookResult<Name extends HookName> = HookMap[Name]['result'];

/** A function on a hook. It may be async, within the hook's timeout. */
export type HookTap<Name extends HookName> = (
  value: HookValue<Name>,
) => HookResult<Name> | undefined | void | Promise<HookResult<Name> | undefined | void>;

/** Where in the row of taps: `pre`, normal (default), `post`. */
export type HookOrder = 'pre' | 'normal' | 'post';

/** What the engine needs to know of a hook to call it. */
export interface HookRule {
  readonly kind: HookKind;
  /** A tap that takes longer has failed this time. */
  readonly timeoutMs: number;
  /** True: a tap can only deny, and a failing or quarantined one denies (fail closed). */
  readonly authorizing?: boolean;
}

const event = { kind: 'event', timeoutMs: 1000 } as const;
const series = { kind: 'series', timeoutMs: 250 } as const;
const collect = { kind: 'collect', timeoutMs: 250 } as const;
const waterfall = { kind: 'waterfall', timeoutMs: 100 } as const;

/** The one table of hooks. */
export const HOOKS: { readonly [Name in HookName]: HookRule & { readonly kind: HookMap[Name]['kind'] } } = {
  'network.didChange': event,
  'nat.evidence': { kind: 'collect', timeoutMs: 1000 },
  'nat.classify': waterfall,
  'nat.didChange': event,
  'candidate.gather': collect,
  'candidate.filter': waterfall,
  'candidate.prioritize': waterfall,
  'signal.willSend': series,
  'signal.didReceive': event,
  'peer.authorize': { kind: 'bail', timeoutMs: 5000, authorizing: true },
  'peer.didAppear': event,
  'punch.plan': waterfall,
  'punch.willAttempt': series,
  'punch.didAttempt': event,
  'punch.didSucceed': event,
  'punch.didFail': event,
  'path.rank': waterfall,
  'path.willSwitch': series,
  'path.didSelect': event,
  'mapping.didChange': event,
  'transport.choose': { kind: 'bail', timeoutMs: 100 },
  'session.didOpen': event,
  'session.didClose': event,
  'forward.willOpen': series,
  'forward.accept': { kind: 'bail', timeoutMs: 5000, authorizing: true },
  'metrics.sample': collect,
  'config.didChange': event,
  'plugin.didChange': event,
};
