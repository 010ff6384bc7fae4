import type { Candidate, Endpoint } from './address.ts';
import type { BehaviourVector } from './behaviour.ts';
import type { Clock, Random } from './clock.ts';
import type { JsonValue } from './json.ts';
import type { Lease, Sockets } from './lease.ts';
import type { Logger } from './logger.ts';

/** RFC 8445 §2: the controlling side plans and nominates. */
export type Role = 'controlling' | 'controlled';

/** The two networks of an attempt, frozen for its duration. */
export interface Pair {
  readonly local: BehaviourVector;
  readonly remote: BehaviourVector;
  readonly localCandidates: readonly Candidate[];
  readonly remoteCandidates: readonly Candidate[];
  /** True where both sides proved that they are behind the same gateway, or on the same link or host. */
  readonly sameLan: boolean;
  /** True where both users allowed searches of a whole range of ports: tens of thousands of packets, a burden for routers' tables. */
  readonly exhaustive: boolean;
}

/** What a strategy expects of a pair. Likelihood 0 means "do not try", and `reason` says why. */
export interface Assessment {
  /** 0 to 1: how likely it connects this pair within its deadline. Honest: measured by the conformance kit. */
  readonly likelihood: number;
  /** Median time to connect after the start, milliseconds. */
  readonly expectedMs?: number;
  /** Packets it may send. */
  readonly probes?: number;
  /** One sentence for a person. */
  readonly reason: string;
}

export interface PrepareContext {
  readonly sockets: Sockets;
  readonly local: BehaviourVector;
  /** Known to the answering side only. */
  readonly remote?: BehaviourVector;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** What `prepare` leaves behind: leases for `punch`, and what the other side's strategy needs to know. */
export interface Preparation {
  readonly leases: readonly Lease[];
  /** At most 1 KiB as JSON. */
  readonly advert?: JsonValue;
}

/** What a strategy may spend in one attempt. */
export interface Budget {
  readonly sockets: number;
  readonly probes: number;
  readonly probesPerSecond: number;
  /** Milliseconds after the agreed start. */
  readonly deadlineMs: number;
}

/** A check that went both ways: our request, the peer's authenticated answer. */
export interface VerifiedCheck {
  readonly lease: Lease;
  readonly remote: Endpoint;
  readonly rttMs: number;
}

/** One strategy's share of an attempt, after both sides agreed on the plan. All times are milliseconds after the agreed start. */
export interface Attempt {
  readonly role: Role;
  readonly leases: readonly Lease[];
  /** What the same strategy at the peer left in its advert. Not trusted: it has been size-checked, nothing else. */
  readonly peerAdvert: JsonValue | undefined;
  readonly pair: Pair;
  readonly budget: Budget;
  /** `now()` is 0 at the agreed start, negative before. */
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted when another strategy won, the user gave up, or the deadline passed. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** For more sockets within the budget, such as a re-roll. */
  readonly sockets: Sockets;
  /** The next verified check on any lease of this attempt; undefined once the deadline passed or the attempt ended. */
  nextCheck(timeoutMs?: number): Promise<VerifiedCheck | undefined>;
  /** Sends a small message (≤ 1 KiB as JSON) to the same strategy at the peer. */
  exchange(message: JsonValue): Promise<void>;
  /** The next message from there; undefined once the deadline passed or the attempt ended. */
  nextMessage(timeoutMs?: number): Promise<JsonValue | undefined>;
  /** Shown in the UI. */
  progress(progress: { readonly done: number; readonly of: number; readonly etaMs?: number }): void;
}

/** Codes for a strategy's expected failures. */
export type PunchFailureCode =
  | 'no-answer'
  | 'no-candidates'
  | 'refused'
  | 'budget'
  | 'aborted'
  | 'unsuitable'
  | 'bad-advert'
  | 'internal';

export type PunchOutcome =
  | { readonly outcome: 'connected'; readonly check: VerifiedCheck }
  | { readonly outcome: 'failed'; readonly code: PunchFailureCode; readonly reason: string };

/** The strategy found a path. */
export function connected(check: VerifiedCheck): PunchOutcome {
  return { outcome: 'connected', check };
}

/** The strategy did not; `reason` is one sentence for a person. */
export function failed(code: PunchFailureCode, reason: string): PunchOutcome {
  return { outcome: 'failed', code, reason };
}

/** How often {@link nextAnswer} looks for both in turn. */
const TURN_MS = 40;

/** Waits for the peer's message or a verified check, whichever comes first; for neither once the attempt is over. */
export async function nextAnswer(
  attempt: Attempt,
): Promise<{ readonly answer?: JsonValue; readonly check?: VerifiedCheck }> {
  while (!attempt.signal.aborted) {
    const check = await attempt.nextCheck(TURN_MS);
    if (check) return { check };
    const answer = await attempt.nextMessage(0);
    if (answer !== undefined) return { answer };
  }
  return {};
}

/** One way through NATs. */
export interface PunchStrategy {
  /** `name@major`; both peers need the same to use it. */
  readonly id: string;
  /** Pure. After 50 ms the plan goes on without it. */
  assess(pair: Pair): Assessment | Promise<Assessment>;
  /** Runs on both sides before the offer or answer leaves: opens leases, learns their reflexive endpoints. */
  prepare?(context: PrepareContext): Promise<Preparation>;
  /** Runs on both sides after `go`. An expected failure is a value, never an exception. */
  punch(attempt: Attempt): Promise<PunchOutcome>;
}
