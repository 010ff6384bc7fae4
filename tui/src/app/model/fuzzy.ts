/** How well `text` matches the words of `query`, in any order, each by its letters in their order: greater is better, undefined where one does not. */
export function fuzzyScore(text: string, query: string): number | undefined {
  let sum = 0;
  for (const word of query
    .toLowerCase()
    .split(' ')
    .filter((part) => part !== '')) {
    const score = wordScore(text.toLowerCase(), word);
    if (score === undefined) return undefined;
    sum += score;
  }
  return sum;
}

function wordScore(where: string, what: string): number | undefined {
  let best: number | undefined;
  for (
    let start = where.indexOf(what[0] ?? '');
    start >= 0;
    start = where.indexOf(what[0] ?? '', start + 1)
  ) {
    const score = scoreFrom(where, what, start);
    if (score !== undefined && (best === undefined || score > best)) best = score;
  }
  return best;
}

/** Letters at the start of a word and letters in a row count more, the gaps between them less. */
function scoreFrom(where: string, what: string, start: number): number | undefined {
  let score = 0;
  let previous = start - 1;
  for (const [index, letter] of Array.from(what).entries()) {
    const at = index === 0 ? start : where.indexOf(letter, previous + 1);
    if (at < 0) return undefined;
    if (at === 0 || /[^a-z0-9]/.test(where[at - 1] ?? '')) score += 8;
    if (at === previous + 1) score += 5;
    score -= Math.min(5, at - previous - 1);
    previous = at;
  }
  return score - where.length / 100;
}

/** Items whose text matches, best first; equal ones keep their order. */
export function fuzzyFilter<T>(
  items: readonly T[],
  query: string,
  textOf: (item: T) => string,
): readonly T[] {
  return items
    .map((item) => ({ item, score: fuzzyScore(textOf(item), query) }))
    .filter((each): each is { item: T; score: number } => each.score !== undefined)
    .sort((a, b) => b.score - a.score)
    .map(({ item }) => item);
}
