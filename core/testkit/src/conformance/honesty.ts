import type { KindName } from '../network/kinds.ts';
import type { Problem } from './problem.ts';
import type { Trial } from './trial.ts';

/** How far a claim may be off beyond what chance explains. */
const OVERCLAIM = 0.05;
const UNDERCLAIM = 0.35;
const SIGMAS = 3;
/** Fewer runs say nothing of a pair by itself. */
const RUNS_AT_LEAST = 8;

/** What was claimed of one pair, and what came of it. */
export interface Claim {
  readonly local: KindName;
  readonly remote: KindName;
  readonly runs: number;
  readonly connected: number;
  /** Mean of the lesser of both sides' likelihoods: what the plan believes. */
  readonly claimed: number;
  readonly expectedMs: number | undefined;
  /** From the start to the local side's check, of the runs that connected. */
  readonly medianMs: number | undefined;
}

export function claimOf(local: KindName, remote: KindName, trials: readonly Trial[]): Claim {
  const likelihoods = trials.map(likelihoodOf);
  const times = trials
    .flatMap(({ connected, local: { endedAtMs } }) =>
      connected && endedAtMs !== undefined ? [endedAtMs] : [],
    )
    .sort((a, b) => a - b);
  const expected = trials.flatMap(({ local: { assessed } }) =>
    assessed?.assessment.expectedMs === undefined ? [] : [assessed.assessment.expectedMs],
  );
  return {
    local,
    remote,
    runs: trials.length,
    connected: trials.filter(({ connected }) => connected).length,
    claimed: likelihoods.reduce((sum, each) => sum + each, 0) / Math.max(1, trials.length),
    expectedMs: expected[0],
    medianMs: times[Math.floor(times.length / 2)],
  };
}

/** What both sides together claim: the lesser likelihood. */
export function likelihoodOf({ local, remote }: Pick<Trial, 'local' | 'remote'>): number {
  return Math.min(local.assessed?.assessment.likelihood ?? 0, remote.assessed?.assessment.likelihood ?? 0);
}

/** Compares claims with what came of them, pair by pair and all together. */
export function checkHonesty(claims: readonly Claim[], firstSeed: number): Problem[] {
  const problems = claims
    .filter(({ runs }) => runs >= RUNS_AT_LEAST)
    .flatMap((claim) => checkClaim(claim, firstSeed));
  const runs = claims.reduce((sum, claim) => sum + claim.runs, 0);
  const connected = claims.reduce((sum, claim) => sum + claim.connected, 0);
  const expected = claims.reduce((sum, claim) => sum + claim.claimed * claim.runs, 0);
  const variance = claims.reduce((sum, { claimed, runs }) => sum + claimed * (1 - claimed) * runs, 0);
  if (problems.length === 0 && connected < expected - SIGMAS * Math.sqrt(variance) - OVERCLAIM * runs) {
    problems.push({
      rule: 'honesty',
      message: `over all pairs it claims ${percent(expected / runs)} and reaches ${percent(connected / runs)} of ${runs} runs`,
      fix: 'Claim less where it fails.',
    });
  }
  return problems;
}

function checkClaim(
  { local, remote, runs, connected, claimed, expectedMs, medianMs }: Claim,
  seed: number,
): Problem[] {
  const replay = { local, remote, seed };
  const deviation = SIGMAS * Math.sqrt((claimed * (1 - claimed)) / runs);
  const measured = connected / runs;
  const figures = `${local} × ${remote}: claims ${percent(claimed)} and reaches ${percent(measured)} of ${runs} runs`;
  const problems: Problem[] = [];
  if (measured < claimed - deviation - OVERCLAIM) {
    problems.push({
      rule: 'honesty',
      message: figures,
      fix: 'Claim less for such a pair: the plan waits for what it believes to be likely.',
      replay,
    });
  }
  if (measured > claimed + deviation + UNDERCLAIM) {
    problems.push({
      rule: 'honesty',
      message: figures,
      fix: 'Claim more for such a pair: the plan starts likely strategies first.',
      replay,
    });
  }
  if (expectedMs !== undefined && medianMs !== undefined && medianMs > 3 * expectedMs + 200) {
    problems.push({
      rule: 'honesty',
      message: `${local} × ${remote}: expects ${expectedMs} ms and takes ${Math.round(medianMs)} ms`,
      fix: 'Give the median time in assess({ expectedMs }): the plan starts the next strategies by it.',
      replay,
    });
  }
  return problems;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}
