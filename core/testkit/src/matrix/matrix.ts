import type { JsonValue } from '@awl/api';
import { KINDS, type KindName } from '../network/kinds.ts';
import type { Contributions } from '../contributions.ts';
import { simulate } from '../simulate.ts';
import { cellOf, type Cell } from './cell.ts';

/** Kinds that say where both peers are: they stand for both sides at once. */
const PLACES: readonly KindName[] = ['samelan', 'samenat', 'samecgn'];

export interface MatrixOptions extends Partial<Contributions> {
  /** Default: all. */
  readonly kinds?: readonly KindName[];
  /** Default: both. */
  readonly protocols?: readonly ('udp' | 'tcp')[];
  /** Runs of each cell; a function where it differs. Default 2. */
  readonly runs?: number | ((local: KindName, remote: KindName, transport: 'udp' | 'tcp') => number);
  /** The first seed; each run takes the next. Default 1. */
  readonly firstSeed?: number;
  /** Start skews, milliseconds; runs take them in turn. Default 0, 300 and 2000. */
  readonly skewsMs?: readonly number[];
  /** Loss ratios, likewise. Default 0, 0.02 and 0.05. */
  readonly losses?: readonly number[];
  /** Settings of all engines. Default: searches of whole port ranges are allowed, since the matrix shows what can be reached. */
  readonly settings?: { readonly [key: string]: JsonValue };
  readonly onCell?: (cell: Cell) => void;
}

/** The pairs of a matrix, in order: every ordered pair of networks, and each shared place once. */
export function pairsOf(
  kinds: readonly KindName[] = Object.keys(KINDS) as KindName[],
): (readonly [KindName, KindName])[] {
  const apart = kinds.filter((kind) => !PLACES.includes(kind));
  const shared = kinds.filter((kind) => PLACES.includes(kind));
  return [
    ...apart.flatMap((local) => apart.map((remote) => [local, remote] as const)),
    ...shared.map((kind) => [kind, kind] as const),
  ];
}

/** Runs every pair over every transport. */
export async function matrix(options: MatrixOptions): Promise<Cell[]> {
  const {
    kinds,
    protocols = ['udp', 'tcp'],
    runs = 2,
    firstSeed = 1,
    skewsMs = [0, 300, 2000],
    losses = [0, 0.02, 0.05],
    settings = { 'probing.exhaustive': true },
    onCell,
    ...rest
  } = options;
  const cells: Cell[] = [];
  for (const transport of protocols) {
    for (const [local, remote] of pairsOf(kinds)) {
      const count = typeof runs === 'number' ? runs : runs(local, remote, transport);
      const results = [];
      for (let run = 0; run < count; run++) {
        const conditions = { skewMs: skewsMs[run % skewsMs.length]!, loss: losses[run % losses.length]! };
        results.push(
          await simulate({
            ...rest,
            ...conditions,
            settings,
            local,
            remote,
            transport,
            seed: firstSeed + run,
          }),
        );
      }
      const cell = cellOf(local, remote, transport, results);
      cells.push(cell);
      onCell?.(cell);
    }
  }
  return cells;
}
