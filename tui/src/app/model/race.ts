import type { AttemptState, RaceState, RaceStatus } from '@awl/api';
import { clean } from '../text/clean.ts';
import {
  formatDuration,
  formatOffset,
  formatRatio,
  formatSeconds,
  NONE,
  strategyName,
} from '../text/format.ts';
import type { TextRole } from '../theme.ts';
import type { PeerRow } from './peers.ts';
import { shortBehaviour } from './nat-words.ts';

const ROLES: { readonly [S in RaceStatus]: TextRole } = {
  skipped: 'muted',
  waiting: 'muted',
  running: 'accent',
  connected: 'ok',
  failed: 'bad',
  cancelled: 'muted',
};

/** `▓▓▓░░░░` of seven cells. */
export function progressBar(done: number, of: number, width = 7): string {
  const full = of <= 0 ? 0 : Math.max(0, Math.min(width, Math.round((done / of) * width)));
  return '▓'.repeat(full) + '░'.repeat(width - full);
}

/** How long a strategy took, or what it waits for. */
function took(row: RaceState, elapsedMs: number): string {
  if (row.tookMs !== undefined) return formatDuration(row.tookMs);
  if (row.status === 'running')
    return row.progress?.etaMs === undefined ? NONE : `≈ ${formatSeconds(row.progress.etaMs)} left`;
  if (row.status === 'waiting' && row.startsAtMs !== undefined && row.startsAtMs > elapsedMs)
    return `in ${formatDuration(row.startsAtMs - elapsedMs)}`;
  return NONE;
}

/** One strategy of a race as a row. */
export function raceRow(row: RaceState, elapsedMs: number): PeerRow & { readonly id: string } {
  const { assessment, progress } = row;
  const bar = row.status === 'running' && progress ? ` ${progressBar(progress.done, progress.of)}` : '';
  const isOver = row.status !== 'running' && row.status !== 'waiting';
  return {
    id: row.strategy,
    cells: {
      strategy: strategyName(clean(row.strategy)),
      chance: assessment && assessment.likelihood > 0 ? `≈ ${formatRatio(assessment.likelihood)}` : NONE,
      state: `${row.status}${bar}`,
      probes:
        row.status === 'skipped'
          ? NONE
          : isOver
            ? String(row.probesSent)
            : `${row.probesSent} / ${row.probesBudget}`,
      took: took(row, elapsedMs),
      note: clean((isOver ? row.reason : undefined) ?? assessment?.reason ?? ''),
    },
    roles: {
      state: ROLES[row.status],
      note: 'muted',
      ...(row.status === 'skipped' ? { strategy: 'muted' as const, chance: 'muted' as const } : {}),
    },
  };
}

/** `EIM/APDF × APDM/APDF random · clock offset +3.1 ms`. */
export function pairWords(attempt: AttemptState): string {
  const remote = attempt.remote ? shortBehaviour(attempt.remote.udp) : 'unknown';
  const offset =
    attempt.clockOffsetMs === undefined ? '' : ` · clock offset ${formatOffset(attempt.clockOffsetMs)}`;
  return `UDP ${shortBehaviour(attempt.local.udp)} × ${remote}${offset}`;
}
