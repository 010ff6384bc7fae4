import type { JsonValue, PunchStrategy, Transport } from '@awl/api';
import type { KindName } from '../network/kinds.ts';
import { pairsOf } from '../matrix/matrix.ts';
import { checkAssess } from './assess-rules.ts';
import { checkHonesty, claimOf, likelihoodOf, type Claim } from './honesty.ts';
import { distinct, formatProblem, type Problem } from './problem.ts';
import {
  checkAbort,
  checkAdverts,
  checkDeadline,
  checkReplay,
  checkRun,
  checkTightBudget,
  type Place,
} from './run-rules.ts';
import { runTrial, type Trial } from './trial.ts';

/** Kinds on which a strategy is tried: one of each behaviour. */
const KINDS_TRIED: readonly KindName[] = ['open', 'F', 'R', 'P', 'A', 'Q', 'X', 'cgn', 'ipv6', 'samelan'];
/** Below this the plan leaves a strategy out. */
const CLAIMED_AT_LEAST = 0.01;
const ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)*@\d+$/;

export interface ConformanceOptions {
  /** Default: what one of each behaviour makes. */
  readonly kinds?: readonly KindName[];
  /** Runs for honesty, over all pairs that the strategy claims. Default 200. */
  readonly seeds?: number;
  /** The first seed. Default 1. */
  readonly firstSeed?: number;
  /** For strategies that need one of their own. */
  readonly transports?: readonly Transport[];
  /** Settings of both engines, such as `{ 'probing.exhaustive': true }` for a strategy that searches a whole range of ports. */
  readonly settings?: { readonly [key: string]: JsonValue };
}

export interface ConformanceReport {
  readonly strategy: string;
  /** Empty: the strategy conforms. */
  readonly problems: readonly Problem[];
  /** What it claims, and what came of it. */
  readonly claims: readonly Claim[];
  readonly runs: number;
  /** All of it, to print. */
  readonly text: string;
}

/**
 * Checks that a strategy keeps the contract: it honours abort and deadline, stays in its budgets, loses no leases, works in both roles,
 * replays from a seed, bears any advert, and its `assess` is pure and honest. Honesty takes the many runs, and is measured once all else is
 * right. Runs on simulated networks only.
 */
export async function conformance(
  strategy: PunchStrategy,
  options: ConformanceOptions = {},
): Promise<ConformanceReport> {
  const { kinds = KINDS_TRIED, seeds = 200, firstSeed = 1, transports = [], settings = {} } = options;
  const problems: Problem[] = [];
  if (!ID.test(strategy.id))
    problems.push({
      rule: 'id',
      message: `the id is ${strategy.id}`,
      fix: 'Name it name@major, such as lucky-ports@1.',
    });
  const place = (local: KindName, remote: KindName, seed: number): Place => ({
    strategy,
    transports,
    settings,
    local,
    remote,
    seed,
  });
  const trials = new Map<string, Trial[]>();
  const run = async (local: KindName, remote: KindName, seed: number): Promise<Trial> => {
    const conditions = seed % 2 === 0 ? { loss: 0.02, skewMs: 150 } : {};
    const trial = await runTrial({ ...place(local, remote, seed), ...conditions });
    problems.push(...checkRun(trial, place(local, remote, seed)));
    return trial;
  };

  const claimed: (readonly [KindName, KindName])[] = [];
  for (const [local, remote] of pairsOf(kinds)) {
    const trial = await run(local, remote, firstSeed);
    trials.set(`${local} ${remote}`, [trial]);
    if (likelihoodOf(trial) >= CLAIMED_AT_LEAST) claimed.push([local, remote]);
  }
  const likelihoodAt = ([local, remote]: readonly [KindName, KindName]): number =>
    likelihoodOf(trials.get(`${local} ${remote}`)![0]!);
  const pairs = [...trials.values()].flatMap(([trial]) =>
    trial?.local.assessed ? [trial.local.assessed.pair] : [],
  );
  problems.push(...(await checkAssess(strategy, pairs)));

  if (claimed.length === 0) problems.push(NOTHING_CLAIMED);
  const easiest = claimed.toSorted((a, b) => likelihoodAt(b) - likelihoodAt(a))[0];
  if (easiest) {
    const there = place(...easiest, firstSeed);
    for (const check of [checkAbort, checkDeadline, checkTightBudget, checkAdverts, checkReplay])
      problems.push(...(await check(there)));
  }

  // The many runs come last: what broke so far would only spoil them.
  const isSound = problems.length === 0;
  const runsOfHonesty = isSound ? seeds : 0;
  for (let index = 0; index < runsOfHonesty; index++) {
    const [local, remote] = claimed[index % claimed.length]!;
    trials
      .get(`${local} ${remote}`)!
      .push(await run(local, remote, firstSeed + 1 + Math.floor(index / claimed.length)));
  }
  const claims = claimed.map(([local, remote]) => claimOf(local, remote, trials.get(`${local} ${remote}`)!));
  if (isSound) problems.push(...checkHonesty(claims, firstSeed), ...checkRoles(claims));
  const found = distinct(problems);
  return {
    strategy: strategy.id,
    problems: found,
    claims,
    runs: [...trials.values()].flat().length,
    text: textOf(strategy.id, found, claims),
  };
}

const NOTHING_CLAIMED: Problem = {
  rule: 'assess',
  message: 'it claims no pair of networks at all',
  fix: 'Give a likelihood above 0 where it works, or name the kinds in conformance(strategy, { kinds }).',
};

/** A pair that works only one way round fails in one of the roles. */
function checkRoles(claims: readonly Claim[]): Problem[] {
  return claims.flatMap((claim) => {
    const other = claims.find(
      ({ local, remote }) => local === claim.remote && remote === claim.local && local !== remote,
    );
    if (!other || claim.connected === 0 || other.connected > 0 || other.claimed < 0.5) return [];
    const message = `${claim.local} × ${claim.remote} connects, ${other.local} × ${other.remote} never does: it works in one role only`;
    return [
      {
        rule: 'roles' as const,
        message,
        fix: 'Let both roles do their part; attempt.role says which one this is.',
        replay: { local: other.local, remote: other.remote, seed: 1 },
      },
    ];
  });
}

function textOf(id: string, problems: readonly Problem[], claims: readonly Claim[]): string {
  const head =
    problems.length === 0
      ? `${id} conforms`
      : `${id} breaks ${problems.length} ${problems.length === 1 ? 'rule' : 'rules'}`;
  const rows = claims.map(({ local, remote, claimed, connected, runs, medianMs }) => {
    const took = medianMs === undefined ? '' : `, ${Math.round(medianMs)} ms`;
    return `  ${local} × ${remote}: claimed ${claimed.toFixed(2)}, reached ${(connected / runs).toFixed(2)} of ${runs}${took}`;
  });
  return [head, ...problems.map(formatProblem), ...rows].join('\n');
}
