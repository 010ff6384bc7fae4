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

/** What falls short of its goal, and why. A reason that holds for no cell any more must leave this list. */
export const SHORTFALLS: readonly Shortfall[] = [
  {
    reason:
      'udp-direct sends its first full check 20 ms after the opener, also where no opener is needed: 60 ms instead of 55',
    applies: (cell) =>
      cell.transport === 'udp' && (has(cell, REACHABLE) || (cell.local === 'ipv6' && cell.remote === 'ipv6')),
  },
  {
    reason:
      'the packets of the side with many sockets spoil a NAT that remembers strangers before the other side has guessed',
    applies: (cell) => cell.transport === 'udp' && has(cell, ['poison']) && has(cell, HARD),
  },
  {
    reason:
      'udp-predict misses where both counters have run on since they were seen, and the sweep that follows is slow',
    applies: (cell) => cell.transport === 'udp' && cell.local === 'Q' && cell.remote === 'Q',
  },
  {
    reason:
      'against a router that counts, a sweep of all ports has one hit on average: none in one run of three',
    applies: (cell) => cell.transport === 'udp' && has(cell, ['Q']) && has(cell, ['X', 'cgnx']),
  },
  {
    reason:
      'a public host answers SYNs that come before its own dial with RST, which closes the other side’s filter for that port',
    applies: (cell) => cell.transport === 'tcp' && has(cell, REACHABLE) && has(cell, HARD),
  },
  {
    reason:
      'tcp-simultaneous-open has no second try from a fresh port, which a NAT that remembers strangers needs',
    applies: (cell) => cell.transport === 'tcp' && has(cell, ['poison']),
  },
  {
    reason: 'the system repeats a lost SYN after a second only, and a fresh dial takes nearly as long',
    applies: (cell) => cell.transport === 'tcp' && !has(cell, HARD),
  },
  {
    reason: 'lan-direct-tcp gives up when the other side begins late',
    applies: (cell) => cell.transport === 'tcp' && cell.local === 'samelan',
  },
];
