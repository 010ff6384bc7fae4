import type { EngineState } from '@awl/api';
import { clean } from '../text/clean.ts';
import { formatDuration, formatAge } from '../text/format.ts';
import { formatEndpoint } from '@awl/api';
import { reachOf, type ReachRow } from './reach.ts';

/** The setting that allows the long search between two networks with random ports. */
export const LONG_SEARCH_SETTING = 'probing.exhaustive';

/** What this network reaches, in figures and hints. */
export interface ReachSummary {
  readonly rows: readonly ReachRow[];
  readonly direct: number;
  readonly total: number;
  readonly isKnown: boolean;
  /** What is not reached and what helps; keys in the text work on the Overview. */
  readonly hints: readonly string[];
  readonly mappings: readonly string[];
}

/** True where the user allowed the long search. */
export function isLongSearchAllowed(engine: Pick<EngineState, 'plugins'>): boolean {
  return Object.values(engine.plugins).some((plugin) => plugin.settings.values[LONG_SEARCH_SETTING] === true);
}

/** Summary for the Overview and the NAT lab. */
export function summarizeReach(engine: Pick<EngineState, 'nat' | 'plugins'>, now: number): ReachSummary {
  const { nat } = engine;
  const isMapped = nat.mappings.some((mapping) => mapping.protocol === 'udp');
  const isAllowed = isLongSearchAllowed(engine);
  const rows = reachOf(nat.behaviour, isMapped).map((row) =>
    isAllowed && row.reach === 'opt-in' ? { ...row, reach: 'yes' as const } : row,
  );
  const optIn = rows.find((row) => row.reach === 'opt-in');
  const none = rows.filter((row) => row.reach === 'no');
  const hints: string[] = [];
  if (optIn)
    hints.push(`not: random × random → press o to allow, ≈ ${formatDuration(optIn.expectedMs ?? 9000)}`);
  const canMap = engine.plugins['upnp']?.status === 'disabled';
  if (none.length > 0)
    hints.push(`not: ${none[0]?.label ?? ''} → ${canMap ? 'press u to turn on upnp' : (none[0]?.how ?? '')}`);
  else if (canMap && optIn) hints.push('or press u to map a port by upnp');
  const mappings = nat.mappings.map((mapping) => {
    const left = mapping.expiresAt - now;
    const endpoint = formatEndpoint({ address: clean(mapping.externalAddress), port: mapping.externalPort });
    return `Mapped ${endpoint} by ${clean(mapping.mapper)}, ${left > 0 ? `${formatDuration(left)} left` : `expired ${formatAge(mapping.expiresAt, now)}`}`;
  });
  const direct = rows.filter((row) => row.reach === 'yes').length;
  const isKnown =
    nat.status !== 'unknown' && rows.some((row) => row.reach !== 'unknown' && row.reach !== 'no');
  return { rows, direct, total: rows.length, isKnown, hints, mappings };
}
