const BARS = '▁▂▃▄▅▆▇█';

/**
 * One character per group of values, oldest first. The newest `width` groups of `valuesPerBar` values are averaged and drawn against the greatest of them.
 */
export function sparkline(values: readonly number[], width: number, valuesPerBar = 1): string {
  const groups = group(values, width, valuesPerBar);
  const top = Math.max(...groups, 0);
  if (groups.length === 0) return '';
  return groups
    .map((value) => BARS[top <= 0 ? 0 : Math.min(7, Math.round((value / top) * 7))] ?? '▁')
    .join('');
}

/** Means of the newest groups of values, oldest first; at most `count`. */
export function group(values: readonly number[], count: number, size: number): number[] {
  const newest = values.slice(-count * size);
  const groups: number[] = [];
  for (let end = newest.length; end > 0; end -= size) {
    const part = newest.slice(Math.max(0, end - size), end);
    groups.unshift(part.reduce((sum, value) => sum + value, 0) / part.length);
  }
  return groups;
}

/** Lines of a bar chart of `height` rows, top first, each `width` characters or fewer where there are fewer values. */
export function chart(values: readonly number[], width: number, height: number, valuesPerBar = 1): string[] {
  const groups = group(values, width, valuesPerBar);
  const top = Math.max(...groups, 1);
  const eighths = groups.map((value) => Math.round((value / top) * height * 8));
  return Array.from({ length: height }, (_, row) => {
    const floor = (height - 1 - row) * 8;
    return eighths
      .map((level) =>
        level <= floor ? (row === height - 1 ? '▁' : ' ') : (BARS[Math.min(8, level - floor) - 1] ?? '█'),
      )
      .join('');
  });
}
