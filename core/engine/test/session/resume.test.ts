import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import type { SessionStream } from '../../src/session/stream.ts';
import { cutPair, seeded } from './cutter.ts';
import { describePath, hash, noise, pair, readAll, type Pair } from './support.ts';

const CUTS = 120;
const SEED = Number(process.env['SEED'] ?? 20261121);

/** Attaches paths that break, one after the other, then one that stays. Returns how many of them came into service. */
async function keepCutting(p: Pair, cuts: number, random: () => number): Promise<number> {
  let attached = 0;
  for (let cut = 0; cut < cuts; cut++) {
    const lost = Promise.all(
      [p.a, p.b].map((session) => new Promise((resolve) => (session.onPathLost = resolve))),
    );
    const [a, b] = cutPair(Math.floor(random() ** 2 * 150_000) + 1, random() < 0.5);
    const results = await Promise.allSettled([
      p.a.attach({ duplex: a, describe: { ...describePath, cut } }),
      p.b.attach({ duplex: b, describe: { ...describePath, cut } }),
    ]);
    for (const result of results) {
      if (result.status === 'rejected')
        assert.match(String(result.reason.code), /^ERR_(TLS_PEER|PATH_LOST)$/);
    }
    // A cut during the handshake can leave one side with a path.
    if (results.some(({ status }) => status === 'rejected')) {
      a.destroy();
      b.destroy();
      continue;
    }
    attached++;
    await lost;
  }
  await p.connect();
  return attached;
}

suite('resumption', { timeout: 60_000 }, () => {
  test(`streams in both directions survive ${CUTS} cuts at random bytes (seed ${SEED})`, async () => {
    const random = seeded(SEED);
    using p = pair();
    const state = { cutting: true };
    // Each stream carries its bytes to the other side, which answers with their hash and an echo of their reverse.
    const serve = (stream: SessionStream): void => {
      void readAll(stream).then((bytes) => {
        stream.write(createHash('sha256').update(bytes).digest());
        stream.end(Buffer.from(bytes).reverse());
      });
    };
    p.a.onStream = serve;
    p.b.onStream = serve;
    const run = async (from: 'a' | 'b', sizeBytes: number): Promise<void> => {
      const bytes = noise(sizeBytes);
      const stream = p[from].openStream({ sizeBytes });
      stream.end(bytes);
      const answer = await readAll(stream);
      assert.equal(answer.subarray(0, 32).toString('hex'), hash(bytes));
      assert.equal(hash(answer.subarray(32)), hash(Buffer.from(bytes).reverse()));
    };
    // New streams open all the while, so that cuts also fall on OPEN, FIN and the frames between.
    const keepOpening = async (from: 'a' | 'b'): Promise<void> => {
      while (state.cutting) await run(from, 1 + Math.floor(random() * 60_000));
    };
    const work = (['a', 'b'] as const).flatMap((from) => [run(from, 3_000_000), keepOpening(from)]);
    const attached = await keepCutting(p, CUTS, random);
    state.cutting = false;
    await Promise.all(work);
    assert.ok(attached > CUTS / 3, `only ${attached} paths were in service`);
    assert.equal(p.a.stats().streams + p.b.stats().streams, 0);
  });
});
