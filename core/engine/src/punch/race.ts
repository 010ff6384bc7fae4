import {
  delay,
  type Attempt,
  type Clock,
  type JsonValue,
  type Logger,
  type Pair,
  type PlanEntry,
  type PunchOutcome,
  type Random,
  type Role,
  type VerifiedCheck,
} from '@awl/api';
import { AwlError } from '@awl/wire';
import type { CheckKeys, Punched } from '../socket/check-agent.ts';
import { CheckQueue } from './check-queue.ts';
import type { Lane } from './lane.ts';

/** How long the controlling side waits for the answer to its nomination before it nominates another. */
const NOMINATION_TIMEOUT_MS = 4000;
/** What the controlled side waits beyond the last deadline, for a nomination on its way. */
const NOMINATION_GRACE_MS = 1500;
const PROBES_PER_SECOND = 25_000;

/** The socket that both sides agreed on. */
export interface Winner {
  readonly lane: Lane;
  readonly punched: Punched;
  readonly rttMs: number;
  /** Since the agreed start. */
  readonly tookMs: number;
}

export interface RaceParts {
  readonly lanes: ReadonlyMap<string, Lane>;
  readonly plan: readonly PlanEntry[];
  readonly role: Role;
  readonly pair: Pair;
  readonly keys: CheckKeys;
  /** The agreed start, in the clock's time. */
  readonly startAt: number;
  /** How much later than agreed that is. */
  readonly lateMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly logFor: (plugin: string) => Logger;
  /** Sends to the same strategy at the peer. */
  readonly exchange: (strategy: string, message: JsonValue) => Promise<void>;
  /** A lane's row changed; `outcome` once its strategy ended. */
  readonly onRow: (lane: Lane, outcome?: PunchOutcome) => void;
  readonly willAttempt: (lane: Lane) => Promise<void>;
  /** Which of several paths to nominate, by its index. */
  readonly rank: (found: readonly { readonly strategy: string; readonly rttMs: number }[]) => Promise<number>;
}

/**
 * Runs the plan until both sides hold the same socket. The controlling side nominates the first that its strategies bring (RFC 8445 §8.1.1),
 * the controlled side takes what is nominated. Rejects with `ERR_PATH_NONE` when every strategy ended without, or the signal's reason.
 */
export async function runRace(parts: RaceParts): Promise<Winner> {
  const over = new AbortController();
  const signal = AbortSignal.any([parts.signal, over.signal]);
  const winner = Promise.withResolvers<Winner>();
  const since = (): number => parts.clock.now() - parts.startAt;
  const found = new Array<{ lane: Lane; check: VerifiedCheck; punched: Punched }>();
  let wake = Promise.withResolvers<void>();
  const onAbort = (): void => winner.reject(parts.signal.reason);
  parts.signal.addEventListener('abort', onAbort, { once: true });

  const runs = parts.plan.flatMap((entry) => {
    const lane = parts.lanes.get(entry.strategy);
    if (!lane || lane.row.status === 'skipped') return [];
    const queue = new CheckQueue(parts.clock);
    lane.agent.onValid = (valid) => queue.push(valid);
    lane.agent.onNominated = (punched) =>
      winner.resolve({ lane, punched, rttMs: queue.rttOf(punched), tookMs: since() });
    return [
      runLane(parts, entry, lane, queue, signal).then((outcome) => {
        if (outcome.outcome !== 'connected') return;
        const valid = queue.find(outcome.check);
        if (!valid) return;
        found.push({ lane, check: outcome.check, punched: valid.punched });
        wake.resolve();
        wake = Promise.withResolvers();
      }),
    ];
  });
  const allEnded = Promise.all(runs).then(() => 'ended' as const);

  const nominate = async (): Promise<void> => {
    let ended = false;
    void allEnded.then(() => {
      ended = true;
      wake.resolve();
    });
    for (;;) {
      const next =
        found.length > 1
          ? found.splice(
              await parts.rank(found.map(({ lane, check }) => ({ strategy: lane.id, rttMs: check.rttMs }))),
              1,
            )[0]
          : found.shift();
      if (!next) {
        if (ended) throw new AwlError('ERR_PATH_NONE');
        await wake.promise;
        continue;
      }
      const timeout = new AbortController();
      const timer = parts.clock.schedule(NOMINATION_TIMEOUT_MS, () =>
        timeout.abort(new Error('nomination not answered')),
      );
      try {
        await next.punched.nominate(AbortSignal.any([parts.signal, timeout.signal]));
        return winner.resolve({
          lane: next.lane,
          punched: next.punched,
          rttMs: next.check.rttMs,
          tookMs: since(),
        });
      } catch {
        parts.signal.throwIfAborted();
      } finally {
        timer[Symbol.dispose]();
      }
    }
  };
  const beNominated = async (): Promise<void> => {
    await allEnded;
    const lastMs = Math.max(0, ...parts.plan.map(({ deadlineMs }) => deadlineMs));
    await delay(parts.clock, Math.max(0, lastMs - since()) + NOMINATION_GRACE_MS, parts.signal);
    throw new AwlError('ERR_PATH_NONE');
  };
  (parts.role === 'controlling' ? nominate() : beNominated()).catch(winner.reject);

  try {
    return await winner.promise;
  } finally {
    over.abort(new AwlError('ERR_ATTEMPT_CANCELLED', 'the race is over'));
    parts.signal.removeEventListener('abort', onAbort);
  }
}

/** Runs one strategy within its entry's time and budget; a thrown error becomes a failure. */
async function runLane(
  parts: RaceParts,
  entry: PlanEntry,
  lane: Lane,
  queue: CheckQueue,
  over: AbortSignal,
): Promise<PunchOutcome> {
  const { clock, startAt } = parts;
  const budget = {
    sockets: entry.sockets,
    probes: entry.probes,
    probesPerSecond: PROBES_PER_SECOND,
    deadlineMs: entry.deadlineMs,
  };
  lane.scope.limits = budget;
  lane.scope.startAt = startAt;
  // From here on the peer's checks are answered, although ours may start later.
  lane.agent.arm(parts.keys);
  lane.row = { ...lane.row, status: 'waiting', startsAtMs: entry.startMs, probesBudget: entry.probes };
  parts.onRow(lane);
  const deadline = new AbortController();
  const signal = AbortSignal.any([over, deadline.signal]);
  const relative: Clock = {
    now: () => clock.now() - startAt,
    schedule: (delayMs, task) => clock.schedule(delayMs, task),
  };
  const timer = clock.schedule(startAt + entry.deadlineMs - clock.now(), () =>
    deadline.abort(new Error('deadline')),
  );
  signal.addEventListener('abort', () => queue.close(), { once: true });
  let outcome: PunchOutcome;
  try {
    // Woken a little before the start: what is scheduled then leaves on time.
    await delay(clock, startAt + entry.startMs - clock.now() - 5, signal);
    await parts.willAttempt(lane);
    lane.row = { ...lane.row, status: 'running' };
    parts.onRow(lane);
    const attempt: Attempt = {
      role: parts.role,
      leases: lane.preparation.leases,
      peerAdvert: lane.peerAdvert,
      pair: parts.pair,
      budget,
      clock: relative,
      lateMs: parts.lateMs,
      random: parts.random,
      signal,
      log: parts.logFor(lane.owner.plugin),
      sockets: lane.scope.sockets,
      nextCheck: (timeoutMs) => queue.next(timeoutMs),
      exchange: (message) => parts.exchange(lane.id, message),
      nextMessage: (timeoutMs) => nextMessage(lane, clock, signal, timeoutMs),
      progress: (progress) => {
        lane.row = { ...lane.row, progress };
        parts.onRow(lane);
      },
    };
    outcome = await lane.strategy.punch(attempt);
  } catch (error) {
    const aborted = signal.aborted;
    const reason = over.aborted
      ? 'another strategy won'
      : deadline.signal.aborted
        ? 'no answer before its deadline'
        : error instanceof Error
          ? error.message
          : String(error);
    outcome = { outcome: 'failed', code: aborted ? 'aborted' : 'internal', reason };
  } finally {
    timer[Symbol.dispose]();
  }
  lane.row = {
    ...lane.row,
    status: outcome.outcome === 'connected' ? 'connected' : over.aborted ? 'cancelled' : 'failed',
    probesSent: lane.scope.probesSent,
    tookMs: Math.max(0, relative.now() - entry.startMs),
    ...(outcome.outcome === 'failed' ? { code: outcome.code, reason: outcome.reason } : {}),
  };
  parts.onRow(lane, outcome);
  return outcome;
}

function nextMessage(
  lane: Lane,
  clock: Clock,
  signal: AbortSignal,
  timeoutMs?: number,
): Promise<JsonValue | undefined> {
  return new Promise((resolve) => {
    const take = (): void => {
      timer?.[Symbol.dispose]();
      signal.removeEventListener('abort', take);
      lane.onMessage = null;
      resolve(lane.inbox.shift());
    };
    const timer = timeoutMs === undefined ? undefined : clock.schedule(timeoutMs, take);
    if (lane.inbox.length > 0 || signal.aborted) return take();
    lane.onMessage = take;
    signal.addEventListener('abort', take, { once: true });
  });
}
