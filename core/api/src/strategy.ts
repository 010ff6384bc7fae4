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
  /** How much later than agreed this side began, milliseconds: its clock counts from there, as if the start had been agreed for it. */
  readonly lateMs: number;
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

/** How often {@link meetAgain} looks for the message and the check in turn. */
const TURN_MS = 40;
/** A message is there by then, also by a slow rendezvous. */
const MESSAGE_MS = 200;

/** What {@link meetAgain} waited for. */
export interface Meeting {
  /** What the peer sent. */
  readonly message?: JsonValue;
  /** The instant for both sides, milliseconds after the agreed start. */
  readonly startMs?: number;
  /** A check that was verified meanwhile. */
  readonly check?: VerifiedCheck;
}

/**
 * A second try from other sockets: sends `message` (where they are) to the same strategy at the peer, waits for the peer's, and gives both the
 * same instant to begin. Nobody moves before the other side is ready to, since it may only have begun late. A verified check ends the wait;
 * so does the end of the attempt, with nothing.
 */
export async function meetAgain(attempt: Attempt, message: JsonValue): Promise<Meeting> {
  // By the start that was agreed, which is the same for both sides.
  const readyMs = attempt.clock.now() + attempt.lateMs + MESSAGE_MS;
  await attempt.exchange({ message, readyMs });
  while (!attempt.signal.aborted) {
    const check = await attempt.nextCheck(TURN_MS);
    if (check) return { check };
    const theirs = await attempt.nextMessage(0);
    if (typeof theirs !== 'object' || theirs === null || Array.isArray(theirs)) continue;
    const { message: answer, readyMs: theirReadyMs } = theirs as { readonly [key: string]: JsonValue };
    if (answer === undefined || typeof theirReadyMs !== 'number') continue;
    const bothReadyMs = Math.min(Math.max(readyMs, theirReadyMs), readyMs + 10 * MESSAGE_MS);
    return { message: answer, startMs: bothReadyMs - attempt.lateMs };
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
