import { isDeepStrictEqual } from 'node:util';
import type { JsonValue, PunchStrategy, Transport } from '@awl/api';
import type { KindName } from '../network/kinds.ts';
import type { Observation } from './observe.ts';
import { describeError, type Problem } from './problem.ts';
import { runTrial, type Trial, type TrialOptions } from './trial.ts';

/** A strategy must have ended this long after it was told to. */
const GRACE_MS = 50;
const LINGER_MS = 1000;
const CANCEL_AFTER_MS = [0, 40, 400];
const ADVERT_MAX_BYTES = 1024;
/** What a broken or hostile peer may send in place of an advert. */
const BAD_ADVERTS: readonly JsonValue[] = [
  null,
  'text',
  -1,
  [],
  {},
  { address: 7, port: 'x' },
  Array.from({ length: 100 }, () => 0),
];

/** Where a rule is tried. */
export interface Place {
  readonly strategy: PunchStrategy;
  readonly transports: readonly Transport[];
  readonly settings: { readonly [key: string]: JsonValue };
  readonly local: KindName;
  readonly remote: KindName;
  readonly seed: number;
}

/** What must hold in every run, whatever it came to. */
export function checkRun({ local, remote, row }: Trial, place: Place): Problem[] {
  const problems = [local, remote].flatMap((seen) => checkSide(seen, place));
  if (row?.code === 'unprepared') {
    problems.push({
      rule: 'prepare',
      message: `prepare failed: ${row.reason}`,
      fix: 'Open the leases that you need and return within 1.5 s.',
      replay: replayOf(place),
    });
  }
  return problems;
}

function checkSide(seen: Observation, place: Place): Problem[] {
  const problems: Problem[] = [];
  const found = (rule: Problem['rule'], message: string, fix: string): void =>
    void problems.push({ rule, message, fix, replay: replayOf(place) });
  if (seen.thrown?.where === 'punch') {
    found(
      'outcome',
      `punch threw ${describeError(seen.thrown.error)}`,
      'Return failed(code, reason): an expected failure is a value. Catch what delay(), reflexive() and openUdp() reject with.',
    );
  }
  if (seen.lostLeases > 0) {
    found(
      'leases',
      `prepare opened ${seen.lostLeases} leases that it neither returned nor disposed`,
      'Return every lease in `leases`, or dispose it.',
    );
  }
  if (seen.outcome?.outcome === 'failed' && seen.leftRunning > 0) {
    found(
      'leases',
      `${seen.leftRunning} schedules or sweeps were still running when punch had failed`,
      'Dispose what schedule() and sweep() return before punch returns.',
    );
  }
  if (seen.lateRequests > 0)
    found(
      'leases',
      `it asked for packets ${seen.lateRequests} times after punch had returned`,
      'Await or stop everything that you started before punch returns.',
    );
  if (seen.advert !== undefined && Buffer.byteLength(JSON.stringify(seen.advert)) > ADVERT_MAX_BYTES) {
    found(
      'advert',
      `the advert is larger than ${ADVERT_MAX_BYTES} bytes`,
      'Say only what the other side needs; use exchange() for more.',
    );
  }
  if (seen.budget && seen.probesAsked > seen.budget.probes) {
    found(
      'budget',
      `it asked for ${seen.probesAsked} probes of ${seen.budget.probes}`,
      'Claim in assess({ probes }) what you send, and stay within attempt.budget.probes.',
    );
  }
  if (seen.budget && seen.opened.prepare + seen.opened.punch > seen.budget.sockets) {
    found(
      'budget',
      `it opened ${seen.opened.prepare + seen.opened.punch} sockets of ${seen.budget.sockets}`,
      'Stay within attempt.budget.sockets.',
    );
  }
  return problems;
}

/** Gives up at several moments of a run that gets no answer. */
export async function checkAbort(place: Place): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const cancelAfterMs of CANCEL_AFTER_MS) {
    const { local } = await runTrial({ ...place, cut: true, cancelAfterMs, lingerMs: LINGER_MS });
    if (local.startedAtMs === undefined) continue;
    problems.push(...checkSide(local, place));
    const { abortedAtMs = 0, endedAtMs = Infinity } = local;
    if (endedAtMs <= abortedAtMs + GRACE_MS) continue;
    problems.push({
      rule: 'abort',
      message: `punch did not end within ${GRACE_MS} ms when the attempt was aborted ${cancelAfterMs} ms after its start`,
      fix: 'Pass attempt.signal to whatever you wait for, and return failed("aborted", …) when it aborts.',
      replay: replayOf(place),
    });
  }
  return problems;
}

/** Nothing comes back. */
export async function checkDeadline(place: Place): Promise<Problem[]> {
  const { local, remote } = await runTrial({ ...place, cut: true, lingerMs: LINGER_MS });
  return [local, remote].flatMap((seen) => {
    const { budget, endedAtMs = Infinity } = seen;
    const late = budget && endedAtMs > budget.deadlineMs + GRACE_MS;
    const problem: Problem = {
      rule: 'deadline',
      message: `punch had not ended at its deadline, ${budget?.deadlineMs} ms after the start`,
      fix: 'nextCheck() and nextMessage() give undefined at the deadline: return then; pass attempt.signal to every other wait.',
      replay: replayOf(place),
    };
    return [...checkSide(seen, place), ...(late ? [problem] : [])];
  });
}

/** Very little may be spent. */
export async function checkTightBudget(place: Place): Promise<Problem[]> {
  const { local, remote } = await runTrial({
    ...place,
    interference: { budget: { probes: 2 } },
    lingerMs: LINGER_MS,
  });
  return [local, remote].flatMap((seen) => checkSide(seen, place)).filter(({ rule }) => rule !== 'budget');
}

/** The peer's advert is not what it should be. */
export async function checkAdverts(place: Place): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const peerAdvert of [undefined, ...BAD_ADVERTS]) {
    const { local, remote } = await runTrial({ ...place, interference: { peerAdvert }, cut: true });
    for (const { thrown } of [local, remote]) {
      if (thrown?.where !== 'punch') continue;
      problems.push({
        rule: 'advert',
        message: `with the peer's advert ${JSON.stringify(peerAdvert)?.slice(0, 60) ?? 'missing'}, punch threw ${describeError(thrown.error)}`,
        fix: 'The advert comes from another machine: check its shape, and return failed("bad-advert", …).',
        replay: replayOf(place),
      });
    }
  }
  return problems;
}

/** The same seed twice. */
export async function checkReplay(place: Place): Promise<Problem[]> {
  const options: TrialOptions = { ...place, loss: 0.02 };
  const [first, second] = [await runTrial(options), await runTrial(options)];
  const difference = firstDifference(first, second);
  if (difference === undefined) return [];
  return [
    {
      rule: 'replay',
      message: `two runs from one seed differ: ${difference}`,
      fix: 'Take time from attempt.clock and random numbers from attempt.random only, and keep nothing between attempts.',
      replay: replayOf(place),
    },
  ];
}

function firstDifference(first: Trial, second: Trial): string | undefined {
  const figures = ({ connected, local, remote }: Trial): { readonly [name: string]: unknown } => ({
    connected,
    'probes of the local side': local.probesAsked,
    'probes of the remote side': remote.probesAsked,
    'end of the local side': local.endedAtMs,
    'end of the remote side': remote.endedAtMs,
    'advert of the local side': local.advert,
    'advert of the remote side': remote.advert,
  });
  const [one, two] = [figures(first), figures(second)];
  const name = Object.keys(one).find((key) => !isDeepStrictEqual(one[key], two[key]));
  return name && `${name} ${JSON.stringify(one[name])} and ${JSON.stringify(two[name])}`;
}

function replayOf({ local, remote, seed }: Place): NonNullable<Problem['replay']> {
  return { local, remote, seed };
}
