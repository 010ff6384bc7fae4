import type { RaceState } from '@awl/api';
import { formatDuration } from '../../app/text/format.ts';
import type { Output } from '../output.ts';
import { printTable } from '../table.ts';

/** Each strategy's part in an attempt, as one table. */
export function printRace(output: Output, race: readonly RaceState[]): void {
  printTable(
    output,
    [
      { title: 'Strategy' },
      { title: 'Outcome' },
      { title: 'Time', align: 'right' },
      { title: 'Probes', align: 'right' },
      { title: 'Why' },
    ],
    race.map(({ strategy, status, tookMs, probesSent, reason, assessment }) => [
      strategy,
      status,
      tookMs === undefined ? '' : formatDuration(tookMs),
      status === 'skipped' ? '' : String(probesSent),
      reason ?? assessment?.reason ?? '',
    ]),
  );
}
