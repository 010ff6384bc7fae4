import { fit, widthOf, type Align } from '../app/text/width.ts';
import { safe, type Output } from './output.ts';

export interface Column {
  readonly title: string;
  readonly align?: Align;
}

const MAX_COLUMN_CELLS = 48;

/** Prints rows under titles, each column as wide as its widest cell; all but the last are cut where they are very wide. */
export function printTable(
  output: Output,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): void {
  const cleaned = rows.map((row) => row.map(safe));
  const widths = columns.map(({ title }, index) =>
    Math.min(
      index === columns.length - 1 ? Infinity : MAX_COLUMN_CELLS,
      Math.max(widthOf(title), ...cleaned.map((row) => widthOf(row[index] ?? ''))),
    ),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => fit(cell, widths[index] ?? 0, columns[index]?.align))
      .join('  ')
      .trimEnd();
  output.line(output.paint('muted', line(columns.map(({ title }) => title))));
  for (const row of cleaned) output.line(line(row));
}
