import type { Cell, KindName } from '@awl/testkit';

/** Cells that may miss their goal, for one reason. */
export interface Shortfall {
  readonly reason: string;
  readonly applies: (cell: Pick<Cell, 'local' | 'remote' | 'transport'>) => boolean;
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
export const SHORTFALLS: readonly Shortfall[] = [
  {
    reason:
      'a side that keeps no port open for strangers is reached only once it has sent, and its first packet may be lost',
    applies: (cell) => has(cell, REACHABLE),
  },
  {
    reason: 'a NAT that remembers strangers is spoilt by the many packets that a guess needs',
    applies: (cell) => has(cell, ['poison']) && has(cell, HARD),
  },
  {
    reason: 'where the first guesses fail, all 1500 are spent, and the other side’s openers come on top',
    applies: (cell) => cell.transport === 'udp' && has(cell, ['A', 'X', 'cgnx']),
  },
  {
    reason:
      'against a router that counts, a sweep of all ports has one hit on average: none in one run of three',
    applies: (cell) =>
      cell.transport === 'udp' && has(cell, ['Q']) && HARD.includes(cell.local) && HARD.includes(cell.remote),
  },
  {
    reason:
      'the system repeats a lost SYN after a second only, and a side that waits longer moves to fresh ports before a late one has begun',
    applies: (cell) => cell.transport === 'tcp' && !has(cell, HARD),
  },
];
