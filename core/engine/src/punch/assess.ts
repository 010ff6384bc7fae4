import { delay, type Assessment, type Clock, type Pair } from '@awl/api';
import type { Lane } from './lane.ts';

/** The plan does not wait longer for any strategy. */
const ASSESS_TIMEOUT_MS = 50;
const REASON_LIMIT = 200;

/** What each lane's strategy makes of the pair. A late or throwing one gets no assessment here; the peer's may still count. */
export async function assessLanes(
  lanes: readonly Lane[],
  pair: Pair,
  clock: Clock,
): Promise<ReadonlyMap<string, Assessment>> {
  const assessed = await Promise.all(
    lanes.map(async (lane) => [lane.id, await assess(lane, pair, clock)] as const),
  );
  return new Map(assessed.flatMap(([id, assessment]) => (assessment ? [[id, assessment]] : [])));
}

async function assess(lane: Lane, pair: Pair, clock: Clock): Promise<Assessment | undefined> {
  if (lane.row.status === 'skipped')
    return { likelihood: 0, reason: (lane.row.reason ?? 'not prepared').slice(0, REASON_LIMIT) };
  const done = new AbortController();
  try {
    const late = delay(clock, ASSESS_TIMEOUT_MS, done.signal).then(() => undefined);
    late.catch(() => {});
    const assessment = await Promise.race([Promise.resolve(lane.strategy.assess(pair)), late]);
    return assessment && sane(assessment);
  } catch {
    return undefined;
  } finally {
    done.abort();
  }
}

function sane({ likelihood, expectedMs, probes, reason }: Assessment): Assessment {
  return {
    likelihood: Number.isFinite(likelihood) ? Math.min(1, Math.max(0, likelihood)) : 0,
    ...(expectedMs === undefined
      ? {}
      : { expectedMs: Math.min(600_000, Math.max(0, Math.round(expectedMs))) }),
    ...(probes === undefined ? {} : { probes: Math.min(1_000_000, Math.max(0, Math.round(probes))) }),
    reason: reason.slice(0, REASON_LIMIT),
  };
}
