import type { Assessment, PlanEntry } from '@awl/api';

/** Likelihoods below this are not worth a packet. */
const LEAST_LIKELIHOOD = 0.01;
/** A strategy that sends no more than this is cheap: all cheap ones race from the start. */
const CHEAP_PROBES = 64;
/** Above this a strategy is a burden for routers: it starts only when nothing else is likely any more. */
const COSTLY_PROBES = 20_000;
/** What is this likely is waited for before something dearer starts. */
const WORTH_WAITING = 0.3;
const LONGEST_MS = 30_000;
/** Time for a side that begins seconds late, and a second try from fresh ports. */
const SHORTEST_MS = 7000;
const SOCKETS_PER_STRATEGY = 640;

/** A strategy that both sides have, with what each side makes of the pair. */
export interface Contender {
  readonly id: string;
  readonly local?: Assessment | undefined;
  readonly remote?: Assessment | undefined;
  /** It won on this network against such a peer before. */
  readonly wonBefore?: boolean;
}

export interface Plan {
  readonly entries: readonly PlanEntry[];
  readonly skipped: readonly { readonly strategy: string; readonly reason: string }[];
}

/**
 * One plan of both sides' assessments: cheap strategies together at once, dearer ones when those should be through. The less hopeful side
 * is believed, since each knows its own network best.
 */
export function makePlan(contenders: readonly Contender[]): Plan {
  const judged = contenders.map((contender) => ({ contender, assessment: joint(contender) }));
  const skipped = judged
    .filter(({ assessment }) => assessment.likelihood < LEAST_LIKELIHOOD)
    .map(({ contender, assessment }) => ({ strategy: contender.id, reason: assessment.reason }));
  const likely = judged.filter(({ assessment }) => assessment.likelihood >= LEAST_LIKELIHOOD);
  const tiers: (typeof likely)[] = [[], [], []];
  for (const item of likely) tiers[item.contender.wonBefore ? 0 : tierOf(item.assessment)]!.push(item);

  const entries: PlanEntry[] = [];
  let startMs = 0;
  for (const tier of tiers) {
    let nextMs = startMs;
    for (const { contender, assessment } of tier.toSorted(
      (a, b) => rank(b.assessment) - rank(a.assessment),
    )) {
      const expectedMs = assessment.expectedMs ?? 1000;
      entries.push({
        strategy: contender.id,
        startMs,
        deadlineMs: Math.min(LONGEST_MS, startMs + Math.max(SHORTEST_MS, expectedMs * 4)),
        sockets: SOCKETS_PER_STRATEGY,
        probes: Math.max(CHEAP_PROBES, Math.ceil((assessment.probes ?? 0) * 1.25)),
      });
      if (assessment.likelihood >= WORTH_WAITING) nextMs = Math.max(nextMs, startMs + expectedMs * 2 + 200);
    }
    startMs = nextMs;
  }
  return { entries, skipped };
}

function tierOf({ probes = 0 }: Assessment): number {
  if (probes <= CHEAP_PROBES) return 0;
  return probes <= COSTLY_PROBES ? 1 : 2;
}

function joint({ local, remote }: Contender): Assessment {
  if (!local || !remote)
    return local ?? remote ?? { likelihood: 0, reason: 'neither side could assess it in time' };
  const [lesser, other] = local.likelihood <= remote.likelihood ? [local, remote] : [remote, local];
  return {
    likelihood: lesser.likelihood,
    expectedMs: Math.max(lesser.expectedMs ?? 0, other.expectedMs ?? 0) || 1000,
    probes: Math.max(lesser.probes ?? 0, other.probes ?? 0),
    reason: lesser.reason,
  };
}

/** Likely and quick first. */
function rank({ likelihood, expectedMs = 1000 }: Assessment): number {
  return likelihood - expectedMs / 100_000;
}
