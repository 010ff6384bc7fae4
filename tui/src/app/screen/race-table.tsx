import type { AttemptState } from '@awl/api';
import { Box } from 'ink';
import type { ReactNode } from 'react';
import { Styled } from '../component/styled.tsx';
import { MARKER_WIDTH, Table } from '../component/table.tsx';
import { placeColumns, shrinkColumns, type Column } from '../model/columns.ts';
import { pairWords, raceRow } from '../model/race.ts';
import { Section } from '../component/section.tsx';

const COLUMNS: readonly Column[] = [
  { key: 'strategy', title: 'Strategy', min: 21, max: 28, priority: 0 },
  { key: 'chance', title: 'Chance', min: 7, priority: 1, align: 'right' },
  { key: 'state', title: 'State', min: 9, max: 15, priority: 0 },
  { key: 'probes', title: 'Probes', min: 11, priority: 2, align: 'right' },
  { key: 'took', title: 'Took', min: 8, max: 14, priority: 1 },
  { key: 'note', title: '', min: 16, max: 90, priority: 3 },
];

/** The race of strategies, one row each, as it runs or as it went. */
export function RaceTable(props: {
  readonly attempt: AttemptState;
  readonly now: number;
  readonly width: number;
  readonly limit: number;
  readonly isStale: boolean;
}): ReactNode {
  const { attempt, now, limit } = props;
  const elapsedMs = (attempt.endedAt ?? now) - attempt.startedAt;
  const rows = attempt.race.slice(0, limit).map((row) => raceRow(row, elapsedMs));
  const title =
    attempt.status === 'punching'
      ? 'Race'
      : attempt.status === 'signalling'
        ? 'Agreeing on a start'
        : 'The last race';
  return (
    <Section title={title} note={pairWords(attempt)}>
      {rows.length > 0 && (
        <Table
          columns={placeColumns(shrinkColumns(COLUMNS, rows), props.width - MARKER_WIDTH)}
          rows={rows}
          isStale={props.isStale}
        />
      )}
      {attempt.race.length > limit && (
        <Box paddingLeft={2}>
          <Styled role="muted">{`and ${attempt.race.length - limit} more`}</Styled>
        </Box>
      )}
    </Section>
  );
}
