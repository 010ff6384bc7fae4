import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matrix, pairsOf, renderMatrix, simulate, type SimulationOptions } from '@awl/testkit';
import { plainDirect } from './plain-direct.ts';

const base = { strategies: [plainDirect], seed: 1 } as const satisfies Partial<SimulationOptions>;

describe('simulate', () => {
  it('connects two engines behind port-restricted NATs', async () => {
    const result = await simulate({ ...base, local: 'P', remote: 'P' });
    assert.equal(result.connected, true, result.trace.join('\n'));
    assert.equal(result.strategy, 'plain-direct@1');
    assert.ok(result.ms! < 130, `${result.ms} ms`);
    assert.ok(result.checkMs! < result.ms!);
    assert.ok(result.probes > 0 && result.probes <= 36);
  });

  it('says why there is no path', async () => {
    const result = await simulate({ ...base, local: 'X', remote: 'X' });
    assert.equal(result.connected, false);
    assert.equal(result.code, 'ERR_PATH_BOTH_RANDOM');
    assert.match(result.remedy!, /port mapping/);
    assert.ok(
      result.trace.some((line) => line.includes('a side takes another port')),
      result.trace.join('\n'),
    );
  });

  it('runs the same way from the same seed', async () => {
    const rough = { ...base, local: 'P', remote: 'cgn', loss: 0.05, jitterMs: 8, skewMs: 300 } as const;
    assert.deepEqual(await simulate(rough), await simulate(rough));
    assert.notDeepEqual(await simulate(rough), await simulate({ ...rough, seed: 2 }));
  });

  it('takes the round trip from its option', async () => {
    const { ms } = await simulate({ ...base, local: 'P', remote: 'P', rttMs: 200 });
    assert.ok(ms! >= 400 && ms! < 600, `${ms} ms`);
  });

  it('lets the remote side begin late', async () => {
    const starts: number[] = [];
    const options: SimulationOptions = {
      ...base,
      local: 'P',
      remote: 'P',
      skewMs: 700,
      onReady: ({ network, local, remote }) => {
        for (const { engine } of [local, remote])
          engine.on('attempt.started', () => starts.push(network.clock.now()));
      },
    };
    await simulate(options);
    assert.ok(starts[1]! - starts[0]! > 600, starts.join(' '));
  });

  it('can be disturbed while it runs', async () => {
    const result = await simulate({
      ...base,
      local: 'P',
      remote: 'P',
      onReady: ({ local, remote }) =>
        local.engine.on('signal.agreed', () => remote.host.setLink({ lossRatio: 1 })),
    });
    assert.equal(result.connected, false);
    assert.equal(result.code, 'ERR_PATH_NO_ANSWER');
  });

  it('lets the sides have different strategies', async () => {
    const result = await simulate({ ...base, local: 'P', remote: 'P', peer: { strategies: [] } });
    assert.equal(result.code, 'ERR_PATH_NO_STRATEGY');
  });
});

describe('matrix', () => {
  it('has every ordered pair of networks, and each shared place once', () => {
    const pairs = pairsOf();
    assert.equal(pairs.length, 13 * 13 + 3);
    assert.deepEqual(pairsOf(['P', 'X', 'samelan']), [
      ['P', 'P'],
      ['P', 'X'],
      ['X', 'P'],
      ['X', 'X'],
      ['samelan', 'samelan'],
    ]);
  });

  it('summarizes runs and names what misses its goal', async () => {
    const cells = await matrix({
      strategies: [plainDirect],
      kinds: ['P', 'X'],
      protocols: ['udp'],
      runs: 3,
      losses: [0],
      skewsMs: [0],
    });
    const [both, hard] = cells;
    assert.equal(both!.successRatio, 1);
    assert.deepEqual(both!.missed, []);
    assert.deepEqual(both!.strategies, ['plain-direct@1']);
    assert.equal(hard!.successRatio, 0);
    assert.match(hard!.missed.join(), /0 % connected, goal 99 %/);
    assert.match(renderMatrix(cells), /- P × X, udp: 0 % connected, goal 99 %.*seeds 1, 2, 3/);
  });
});
