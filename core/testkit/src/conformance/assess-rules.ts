import { isDeepStrictEqual } from 'node:util';
import {
  UNKNOWN_BEHAVIOUR,
  type Assessment,
  type BehaviourVector,
  type Pair,
  type PunchStrategy,
} from '@awl/api';
import { describeError, type Problem } from './problem.ts';

const CALLS = 5;
const REASON_MAX_CHARS = 200;
const UNKNOWN: BehaviourVector = { udp: UNKNOWN_BEHAVIOUR, tcp: UNKNOWN_BEHAVIOUR };

/** Checks `assess` by itself: pure, quick, in range, for each pair and for networks of which nothing is known. */
export async function checkAssess(strategy: PunchStrategy, pairs: readonly Pair[]): Promise<Problem[]> {
  const nothingKnown: Pair = {
    local: UNKNOWN,
    remote: UNKNOWN,
    localCandidates: [],
    remoteCandidates: [],
    sameLan: false,
    exhaustive: false,
  };
  const problems: Problem[] = [];
  for (const pair of [...pairs, nothingKnown]) problems.push(...(await checkPair(strategy, pair)));
  return problems;
}

async function checkPair(strategy: PunchStrategy, pair: Pair): Promise<Problem[]> {
  const assessments: Assessment[] = [];
  for (let call = 0; call < CALLS; call++) {
    try {
      const assessment = await promptly(strategy.assess(frozen(structuredClone(pair))));
      if (!assessment)
        return [
          problem(
            'assess did not answer at once',
            'Compute it from the pair alone; the plan does not wait longer than 50 ms.',
          ),
        ];
      assessments.push(assessment);
    } catch (error) {
      const message = `assess threw ${describeError(error)}`;
      return [
        problem(
          message,
          'Return likelihood 0 with a reason where nothing is known, and leave the pair unchanged: it is frozen here.',
        ),
      ];
    }
  }
  const [first] = assessments;
  if (!assessments.every((each) => isDeepStrictEqual(each, first))) {
    return [
      problem(
        'assess gave different answers for the same pair',
        'Use nothing but the pair: no Math.random, no clock, no state of your own.',
      ),
    ];
  }
  return checkRange(first!);
}

function checkRange({ likelihood, expectedMs, probes, reason }: Assessment): Problem[] {
  const problems: Problem[] = [];
  if (!(likelihood >= 0 && likelihood <= 1))
    problems.push(problem(`assess gave the likelihood ${likelihood}`, 'Give a number from 0 to 1.'));
  if (expectedMs !== undefined && !(expectedMs >= 0))
    problems.push(problem(`assess expects ${expectedMs} ms`, 'Give milliseconds, 0 or more.'));
  if (probes !== undefined && !(probes >= 0))
    problems.push(
      problem(`assess expects ${probes} probes`, 'Give the packets that it may send, 0 or more.'),
    );
  if (typeof reason !== 'string' || reason.trim() === '' || reason.length > REASON_MAX_CHARS) {
    problems.push(
      problem(
        'assess gave no reason, or a very long one',
        `Say in one sentence, of at most ${REASON_MAX_CHARS} characters, why.`,
      ),
    );
  }
  return problems;
}

function problem(message: string, fix: string): Problem {
  return { rule: 'assess', message, fix };
}

/** The value if it is there after all promises that need no timer are settled. */
async function promptly(assessment: Assessment | Promise<Assessment>): Promise<Assessment | undefined> {
  let settled = false;
  const promise = Promise.resolve(assessment).finally(() => {
    settled = true;
  });
  promise.catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  return settled ? await promise : undefined;
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const each of Object.values(value)) frozen(each);
  }
  return value;
}
