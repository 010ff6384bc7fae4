import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as holds, constantFrom, double, integer, property, record } from 'fast-check';
import type { ClassicOptions, KcpOptions } from '../src/index.ts';
import { simulate, type Scenario } from './simulate.ts';

/** The seed of all properties; a failure prints it with the counterexample and its path. */
const SEED = Number(process.env['KCP_SEED'] ?? 20_261_121);

const fast: ClassicOptions = { noDelay: 1, intervalMs: 10, fastResend: 2, congestionWindow: false };
const profiles: Record<string, Partial<KcpOptions>> = {
  bbr: {},
  cubic: { congestion: 'cubic' },
  none: { congestion: 'none', sendWindow: 256 },
  'classic fast': { sendWindow: 256, receiveWindow: 256, classic: fast },
  'classic default': { classic: {} },
};

const calm: Scenario = {
  seed: 1,
  options: {},
  sizeBytes: 200_000,
  delayMs: 20,
  jitterMs: 0,
  loss: 0,
  duplicate: 0,
  corrupt: 0,
  startMs: 0,
  limitMs: 60_000,
};

for (const [name, options] of Object.entries(profiles)) {
  test(`whatever the link does, the stream arrives whole (${name})`, () => {
    holds(
      property(
        record({
          seed: integer(),
          sizeBytes: integer({ min: 1, max: 60_000 }),
          delayMs: integer({ min: 0, max: 60 }),
          jitterMs: integer({ min: 0, max: 40 }),
          loss: double({ min: 0, max: 0.2, noNaN: true }),
          duplicate: double({ min: 0, max: 0.2, noNaN: true }),
          startMs: constantFrom(0, 2 ** 31 - 300, 2 ** 32 - 300, 12_345.678),
          firstSn: constantFrom(0, 2 ** 31 - 20, 2 ** 32 - 20),
          mtuBytes: integer({ min: 50, max: 1500 }),
        }),
        ({ firstSn, mtuBytes, ...link }) => {
          const outcome = simulate({
            ...calm,
            ...link,
            options: { ...options, firstSn, mtuBytes },
            limitMs: 900_000,
          });
          assert.equal(outcome.receivedBytes, link.sizeBytes);
          assert.ok(outcome.intact);
        },
      ),
      { seed: SEED, numRuns: 25 },
    );
  });

  test(`damaged datagrams neither throw nor pile up (${name})`, () => {
    holds(
      property(integer(), double({ min: 0.001, max: 0.3, noNaN: true }), (seed, corrupt) => {
        const limit = 500_000;
        const outcome = simulate({
          ...calm,
          seed,
          corrupt,
          jitterMs: 5,
          loss: 0.02,
          sizeBytes: 50_000,
          limitMs: 30_000,
          options: { ...options, receiveLimitBytes: limit },
        });
        assert.ok(outcome.peakStoredBytes <= limit);
        assert.ok(outcome.receiver.pendingAcks < 8193);
      }),
      { seed: SEED, numRuns: 15 },
    );
  });
}

test('one bit wrong in a hundred datagrams stalls nothing', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const outcome = simulate({ ...calm, seed, corrupt: 0.01, limitMs: 20_000 });
    assert.equal(outcome.receivedBytes, calm.sizeBytes, `seed ${seed}`);
  }
});

test('random loss does not slow bbr as it slows cubic', () => {
  const link = { ...calm, sizeBytes: 3_000_000, loss: 0.02 };
  const bbr = simulate({ ...link, options: {} });
  const cubic = simulate({ ...link, options: { congestion: 'cubic' } });
  assert.ok(bbr.intact && cubic.intact);
  assert.ok(bbr.elapsedMs * 2 < cubic.elapsedMs, `bbr ${bbr.elapsedMs} ms, cubic ${cubic.elapsedMs} ms`);
});

test('reordering is learned: needless retransmissions stay few', () => {
  const { sender } = simulate({ ...calm, sizeBytes: 2_000_000, jitterMs: 30 });
  const { retransmits, sentSegments } = sender.stats();
  assert.ok(retransmits < sentSegments / 10, `${retransmits} of ${sentSegments}`);
});

test('loss alone is repaired in about a round trip, without time-outs', () => {
  const { sender } = simulate({ ...calm, sizeBytes: 2_000_000, loss: 0.01 });
  const { timeouts, retransmits } = sender.stats();
  assert.ok(retransmits > 5 && timeouts <= 3, `${timeouts} time-outs, ${retransmits} retransmissions`);
});
