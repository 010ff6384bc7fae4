import type { Cell, KindName } from '@awl/testkit';

/** Cells that may miss their goal, for one reason. */
export interface Shortfall {
  readonly reason: string;
  readonly applies: (cell: Pick<Cell, 'local' | 'remote' | 'transport'>) => boolean;
  /** What such a cell must reach all the same. */
  readonly still: { readonly successRatio: number; readonly p95Ms?: number };
}

const REACHABLE: readonly KindName[] = ['open', 'F'];
const HARD: readonly KindName[] = ['A', 'Q', 'X', 'cgnx'];

const has = ({ local, remote }: Pick<Cell, 'local' | 'remote'>, kinds: readonly KindName[]): boolean => {
  return kinds.includes(local) || kinds.includes(remote);
};

/**
 * What falls short of its goal, and why. Few runs of a cell may meet a goal by chance: a reason leaves this list when `npm run matrix` shows
 * no cell of it any more.
 */
/** Both sides' ports change, and at least one side's can't be predicted: a search of seconds. */
const isSearch = ({ local, remote }: Pick<Cell, 'local' | 'remote'>): boolean =>
  HARD.includes(local) && HARD.includes(remote) && !(local === 'Q' && remote === 'Q');

/** What falls short of its goal, why, and what it reaches all the same. */
export const SHORTFALLS: readonly Shortfall[] = [
  {
    reason:
      'a side that keeps no port open for strangers is reached only once it has sent, and its first packet may be lost',
    applies: (cell) => has(cell, REACHABLE),
    still: { successRatio: 1, p95Ms: 5000 },
  },
  {
    reason: 'a NAT that remembers strangers is spoilt by the many packets that a guess needs',
    applies: (cell) => has(cell, ['poison']) && has(cell, HARD),
    still: { successRatio: 0.5, p95Ms: 5000 },
  },
  {
    reason: 'where the first guesses fail, all 1500 are spent, and the other side’s openers come on top',
    applies: (cell) => cell.transport === 'udp' && has(cell, ['A', 'X', 'cgnx']) && !isSearch(cell),
    still: { successRatio: 1, p95Ms: 1500 },
  },
  {
    reason:
      'a search of all ports has few hits on average: one run in ten has none, one in four against a router that counts',
    applies: (cell) => cell.transport === 'udp' && isSearch(cell),
    still: { successRatio: 0 },
  },
  {
    reason:
      'the system repeats a lost SYN after a second only, and a side that waits longer moves to fresh ports before a late one has begun',
    applies: (cell) => cell.transport === 'tcp' && !has(cell, HARD),
    still: { successRatio: 1, p95Ms: 5000 },
  },
];

/** Whether a cell that misses its goal does so for a known reason, and no further than that reason goes. */
export function isExplained(cell: Cell): boolean {
  return SHORTFALLS.some(
    ({ applies, still }) =>
      applies(cell) &&
      cell.successRatio >= still.successRatio &&
      (cell.p95Ms ?? 0) <= (still.p95Ms ?? Infinity),
  );
}
