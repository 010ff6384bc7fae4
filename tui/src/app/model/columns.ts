import { widthOf, type Align } from '../text/width.ts';

/** A column of a table. */
export interface Column {
  readonly key: string;
  readonly title: string;
  /** Fewest cells it is worth showing with. */
  readonly min: number;
  /** Most cells it takes; default `min`. */
  readonly max?: number;
  /** Columns with greater numbers are dropped first; 0 stays always. */
  readonly priority: number;
  readonly align?: Align;
}

/** A column with its width, cells. */
export interface PlacedColumn extends Column {
  readonly width: number;
}

/** Cells between two columns. */
export const COLUMN_GAP = 2;

function totalMin(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + column.min, 0) + COLUMN_GAP * Math.max(0, columns.length - 1);
}

/** The columns no wider than what stands in them; for tables whose rows seldom change, since columns that jump are tiring. */
export function shrinkColumns(
  columns: readonly Column[],
  rows: readonly { readonly cells: { readonly [column: string]: string }; readonly span?: string }[],
): readonly Column[] {
  return columns.map((column) => {
    const widest = rows.reduce(
      (most, row) => (row.span === column.key ? most : Math.max(most, widthOf(row.cells[column.key] ?? ''))),
      widthOf(column.title),
    );
    return { ...column, max: Math.max(column.min, Math.min(column.max ?? column.min, widest)) };
  });
}

/** The columns that fit into `width` cells: dropped by priority, then widened up to their `max`. */
export function placeColumns(columns: readonly Column[], width: number): readonly PlacedColumn[] {
  let kept = columns;
  while (totalMin(kept) > width) {
    const worst = Math.max(...kept.map((column) => column.priority));
    if (worst === 0) break;
    const index = kept.findLastIndex((column) => column.priority === worst);
    kept = kept.filter((_, at) => at !== index);
  }
  let spare = Math.max(0, width - totalMin(kept));
  const widths = kept.map((column) => column.min);
  // Columns that stay longest are widened first; those of one priority share evenly.
  for (const priority of [...new Set(kept.map((column) => column.priority))].sort((a, b) => a - b)) {
    for (;;) {
      const open = kept.flatMap((column, index) => {
        const room = (column.max ?? column.min) - (widths[index] ?? 0);
        return column.priority === priority && room > 0 ? [{ index, room }] : [];
      });
      if (open.length === 0 || spare === 0) break;
      const share = Math.max(1, Math.floor(spare / open.length));
      for (const { index, room } of open) {
        const more = Math.min(share, room, spare);
        widths[index] = (widths[index] ?? 0) + more;
        spare -= more;
      }
    }
  }
  return kept.map((column, index) => ({ ...column, width: Math.min(widths[index] ?? column.min, width) }));
}
