import { Box, Text, useIsScreenReaderEnabled } from 'ink';
import inkTable, { type CellProps } from 'ink-table';
import { createContext, use, type ReactElement, type ReactNode } from 'react';
import type { PlacedColumn } from '../model/columns.ts';
import { COLUMN_GAP } from '../model/columns.ts';
import { useTheme } from '../store/context.tsx';
import { fit, widthOf } from '../text/width.ts';
import type { TextRole } from '../theme.ts';

/** One row: cleaned texts and their roles by column key. */
export interface TableRow {
  readonly id: string;
  readonly cells: { readonly [column: string]: string };
  readonly roles?: { readonly [column: string]: TextRole };
  /** The text of this column takes the room of all columns after it. */
  readonly span?: string;
}

interface TableProps {
  readonly columns: readonly PlacedColumn[];
  readonly rows: readonly TableRow[];
  /** Id of the row the cursor is on. */
  readonly selected?: string | undefined;
  /** Dims everything: the figures are old. */
  readonly isStale?: boolean;
}

interface RowContextValue extends TableProps {
  readonly row: TableRow | undefined;
}

type Cells = { [column: string]: string };

const RowContext = createContext<RowContextValue>({ columns: [], rows: [], row: undefined });

/** Width from this column to the end of the row. */
function widthToEnd(columns: readonly PlacedColumn[], index: number): number {
  return (
    columns.slice(index).reduce((sum, column) => sum + column.width, 0) +
    COLUMN_GAP * (columns.length - index - 1)
  );
}

/** A cell of exactly its column's width. ink-table counts UTF-16 units, so widths are made here, in terminal cells. */
function Cell(props: CellProps): ReactNode {
  const { columns, row, selected, isStale } = use(RowContext);
  const theme = useTheme();
  const column = columns[props.column];
  if (!column || !row) return null;
  const spanFrom = row.span === undefined ? -1 : columns.findIndex((each) => each.key === row.span);
  if (spanFrom >= 0 && props.column > spanFrom) return null;
  const isLast = props.column === columns.length - 1 || props.column === spanFrom;
  const width = props.column === spanFrom ? widthToEnd(columns, props.column) : column.width;
  const text = fit(row.cells[column.key] ?? '', width, props.column === spanFrom ? 'left' : column.align);
  const look = theme[isStale ? 'muted' : (row.roles?.[column.key] ?? 'normal')];
  const isBold = (row.id === selected && props.column === 0) || (look.bold ?? false);
  return (
    <Text {...look} bold={isBold} wrap="truncate-end">
      {isLast ? text : text + ' '.repeat(COLUMN_GAP)}
    </Text>
  );
}

function Heading(props: { readonly children?: ReactNode }): ReactNode {
  const { columns } = use(RowContext);
  const theme = useTheme();
  const title = (props.children as string).trim();
  const index = columns.findIndex((column) => column.key === title);
  const column = columns[index];
  if (!column) return null;
  return (
    <Text {...theme.muted}>
      {fit(column.title, column.width, column.align) +
        (index === columns.length - 1 ? '' : ' '.repeat(COLUMN_GAP))}
    </Text>
  );
}

function NoLine(): ReactNode {
  return null;
}

/** The cells of a row that ink-table laid out, without the box around them. */
function cellsOf(row: unknown): ReactNode {
  return (row as ReactElement<{ readonly children: ReactNode }>).props.children;
}

/** ink-table without its lines: one line a row, a marker in front of the selected one. A row is one text, since each box costs a layout. */
class PlainTable extends inkTable.default<Cells> {
  constructor(props: ConstructorParameters<typeof inkTable.default<Cells>>[0]) {
    super(props);
    const { heading, data } = this;
    this.header = this.separator = this.footer = NoLine as typeof this.header;
    this.heading = ((rowProps: Parameters<typeof heading>[0]) => (
      <Text wrap="truncate-end">
        {'  '}
        {cellsOf(heading(rowProps))}
      </Text>
    )) as typeof heading;
    this.data = ((rowProps: Parameters<typeof data>[0]) => (
      <Row id={rowProps.data['id'] ?? ''}>{cellsOf(data(rowProps))}</Row>
    )) as typeof data;
  }
}

function Row(props: { readonly id: string; readonly children: ReactNode }): ReactNode {
  const table = use(RowContext);
  const theme = useTheme();
  const row = table.rows.find((each) => each.id === props.id);
  return (
    <RowContext value={{ ...table, row }}>
      <Text wrap="truncate-end">
        <Text {...theme.accent}>{props.id === table.selected ? '▸ ' : '  '}</Text>
        {props.children}
      </Text>
    </RowContext>
  );
}

/** Cells in front of the first column, for the marker of the selected row. */
export const MARKER_WIDTH = 2;

/** A table of rows that are already cut to what is visible. Read aloud, each row is a sentence. */
export function Table(props: TableProps): ReactNode {
  const isSpoken = useIsScreenReaderEnabled();
  if (isSpoken) return <SpokenTable {...props} />;
  // Cells take their text from the row; ink-table's own key of a row is a hash of this, and must not change with each figure.
  const blank = Object.fromEntries(props.columns.map((column) => [column.key, '']));
  const data = props.rows.map((row) => ({ ...blank, id: row.id }));
  return (
    <RowContext value={{ ...props, row: undefined }}>
      <PlainTable
        data={data}
        columns={props.columns.map((column) => column.key)}
        padding={1}
        cell={Cell as never}
        header={Heading as never}
        skeleton={NoLine as never}
      />
    </RowContext>
  );
}

function SpokenTable(props: TableProps): ReactNode {
  const sentence = (row: TableRow): string =>
    props.columns
      .filter((column) => widthOf(row.cells[column.key] ?? '') > 0 && column.key !== 'trend')
      .map((column) => `${column.title} ${row.cells[column.key]}`)
      .join(', ');
  return (
    <Box flexDirection="column">
      {props.rows.map((row) => (
        <Text key={row.id}>{`${row.id === props.selected ? 'Selected: ' : ''}${sentence(row)}.`}</Text>
      ))}
    </Box>
  );
}
