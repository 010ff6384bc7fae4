import type { KindName } from '../network/kinds.ts';
import type { SimulationResult } from '../simulate.ts';
import { goalOf, type Goal } from './goals.ts';

/** What all runs of one ordered pair over one transport came to. */
export interface Cell {
  readonly local: KindName;
  readonly remote: KindName;
  readonly transport: 'udp' | 'tcp';
  readonly runs: number;
  /** 0 to 1. */
  readonly successRatio: number;
  /** Of the runs that connected: until the first check that went both ways. */
  readonly medianCheckMs?: number;
  /** Until both sides held the path. */
  readonly medianMs?: number;
  readonly p95Ms?: number;
  /** Median of both sides' packets and dials together. */
  readonly probes: number;
  /** The strategies that won, the commonest first. */
  readonly strategies: readonly string[];
  /** The codes of the runs that failed. */
  readonly codes: readonly string[];
  /** Seeds of the runs that failed, to replay them. */
  readonly failedSeeds: readonly number[];
  readonly goal: Goal;
  /** What the cell misses of its goal, one sentence each; empty where it is met. */
  readonly missed: readonly string[];
}

/** Summarizes runs. */
export function cellOf(
  local: KindName,
  remote: KindName,
  transport: 'udp' | 'tcp',
  results: readonly SimulationResult[],
): Cell {
  const connected = results.filter((result) => result.connected);
  const times = connected.map(({ ms }) => ms ?? 0).sort((a, b) => a - b);
  const checkTimes = connected.map(({ ms, checkMs }) => checkMs ?? ms ?? 0).sort((a, b) => a - b);
  const goal = goalOf(local, remote, transport);
  const figures = {
    runs: results.length,
    successRatio: connected.length / results.length,
    ...(times.length > 0 && {
      medianCheckMs: quantile(checkTimes, 0.5),
      medianMs: quantile(times, 0.5),
      p95Ms: quantile(times, 0.95),
    }),
    probes: quantile(
      results.map(({ probes }) => probes).sort((a, b) => a - b),
      0.5,
    ),
  };
  return {
    local,
    remote,
    transport,
    ...figures,
    strategies: byCount(connected.map(({ strategy }) => strategy ?? '')),
    codes: byCount(results.flatMap(({ code }) => (code === undefined ? [] : [code]))),
    failedSeeds: results.filter((result) => !result.connected).map(({ seed }) => seed),
    goal,
    missed: missedOf(goal, figures, results),
  };
}

function missedOf(
  goal: Goal,
  figures: Pick<Cell, 'successRatio' | 'medianCheckMs' | 'medianMs' | 'p95Ms' | 'probes' | 'runs'>,
  results: readonly SimulationResult[],
): string[] {
  if (goal.reach === 'open') return [];
  if (goal.reach === 'impossible') {
    const unsaid = results.filter(({ connected, code }) => !connected && !code?.startsWith('ERR_PATH_'));
    return unsaid.length > 0 ? [`${unsaid.length} runs ended without saying why there is no path`] : [];
  }
  const missed: string[] = [];
  const over = (name: string, measured: number | undefined, limit: number | undefined): void => {
    if (limit !== undefined && (measured ?? Infinity) > limit)
      missed.push(`${name} ${measured?.toFixed(0) ?? '–'}, goal ${limit}`);
  };
  // With few runs one failure weighs more than the goal allows: it still counts.
  if (figures.successRatio < goal.successRatio)
    missed.push(`${percent(figures.successRatio)} connected, goal ${percent(goal.successRatio)}`);
  over('median ms to the first check', figures.medianCheckMs, goal.medianCheckMs);
  over('median ms', figures.medianMs, goal.medianMs);
  over('p95 ms', figures.p95Ms, goal.p95Ms);
  over('probes', figures.probes, goal.probes);
  return missed;
}

/** Of a sorted list, by the nearest rank. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function byCount(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}
