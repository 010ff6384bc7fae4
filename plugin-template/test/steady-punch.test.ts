import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conformance, simulate, type KindName } from '@awl/testkit';
import { steadyPunch } from '../src/steady-punch.ts';

const strategy = steadyPunch(() => 100);
const strategies = [strategy];

// The kinds of networks are explained in docs/plugins.md: P is the usual home router, X takes a random port for each destination.
const pairs: readonly (readonly [local: KindName, remote: KindName, expected: boolean])[] = [
  ['P', 'P', true],
  ['open', 'P', true],
  ['F', 'R', true],
  ['P', 'X', false],
  ['X', 'X', false],
];

for (const [local, remote, expected] of pairs) {
  test(`${local} and ${remote}: ${expected ? 'connects' : 'says why it cannot'}`, async () => {
    const seed = 1;
    const result = await simulate({ local, remote, seed, strategies });
    const [row] = result.race;
    assert.equal(result.connected, expected, `seed ${seed}: ${result.reason ?? ''} ${row?.reason ?? ''}`);
    if (!expected) assert.match(row?.assessment?.reason ?? '', /another port for each destination/);
  });
}

test('connects although one packet in ten is lost and the clocks differ', async () => {
  for (const seed of [1, 2, 3]) {
    const result = await simulate({ local: 'P', remote: 'P', seed, strategies, loss: 0.1, skewMs: 200 });
    assert.equal(result.connected, true, `seed ${seed}: ${result.reason ?? ''}`);
  }
});

test('keeps the contract of a strategy', async () => {
  const report = await conformance(strategy, { kinds: ['open', 'P', 'X'], seeds: 40 });
  assert.deepEqual(report.problems, [], report.text);
});
