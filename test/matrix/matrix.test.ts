/** Every pair of networks must meet its goal, or stand in the list of those that do not, with the reason. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matrix, simulate, type Cell, type KindName } from '@awl/testkit';
import { builtIns } from './built-ins.ts';
import { isExplained } from './shortfalls.ts';

/** Neither side's next port is known from the one before: these search for seconds, with tens of thousands of packets. */
const UNPREDICTABLE: readonly KindName[] = ['A', 'X', 'cgnx'];
const CHANGING: readonly KindName[] = ['Q', ...UNPREDICTABLE];

const contributions = await builtIns();

describe('the matrix of all pairs of networks', () => {
  it('meets the goal of each cell', async () => {
    const cells = await matrix({
      ...contributions,
      runs: (local, remote) => (isSweep(local, remote) ? 1 : 2),
    });
    const missed = cells.filter((cell) => cell.missed.length > 0);
    const unexplained = missed.filter((cell) => !isExplained(cell));
    assert.equal(
      unexplained.map(describeCell).join('\n'),
      '',
      'replay one: node --conditions=source scripts/matrix.ts --kinds A,B --protocol udp --runs 2 --no-write',
    );
  });

  it('says at once why two random NATs do not get through when nobody allowed the long search', async () => {
    const result = await simulate({ ...contributions, local: 'X', remote: 'X', seed: 1, transport: 'udp' });
    assert.equal(result.code, 'ERR_PATH_BOTH_RANDOM');
    assert.equal(result.probes, 0);
    assert.match(result.remedy!, /port mapping/);
  });
});

function describeCell({ local, remote, transport, missed, strategies, codes, failedSeeds }: Cell): string {
  const failed = failedSeeds.length > 0 ? `; failed seeds ${failedSeeds.join(', ')}` : '';
  return `${local} × ${remote}, ${transport}: ${missed.join('; ')} (${[...strategies, ...codes].join(', ')}${failed})`;
}

function isSweep(local: KindName, remote: KindName): boolean {
  const both = [local, remote];
  return both.every((kind) => CHANGING.includes(kind)) && both.some((kind) => UNPREDICTABLE.includes(kind));
}
