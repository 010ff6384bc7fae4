import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kcp, type KcpOptions } from '../src/index.ts';
import { seeded } from './pair.ts';
import { header } from './wire.ts';

/** Datagrams fed to `input()` in all; the long run is `KCP_FUZZ=1000000 npm test -- core/kcp-ts/test/fuzz.test.ts`. */
const COUNT = Number(process.env['KCP_FUZZ'] ?? 40_000);
const SEED = Number(process.env['KCP_SEED'] ?? 7);
const LIMIT_BYTES = 1_000_000;

const profiles: Record<string, Partial<KcpOptions>> = {
  adaptive: { receiveLimitBytes: LIMIT_BYTES },
  'adaptive stream': { receiveLimitBytes: LIMIT_BYTES, stream: true },
  classic: {
    receiveLimitBytes: LIMIT_BYTES,
    receiveWindow: 65_535,
    classic: { noDelay: 1, intervalMs: 10, fastResend: 2 },
  },
  'classic stream': { receiveLimitBytes: LIMIT_BYTES, classic: {}, stream: true },
};

for (const [name, options] of Object.entries(profiles)) {
  test(`hostile datagrams neither throw nor make it grow (${name}, seed ${SEED})`, () => {
    const random = seeded(SEED);
    const below = (limit: number): number => Math.floor(random() * limit);
    let out = 0;
    const kcp = new Kcp({ conv: 5, output: () => void out++, ...options });
    const payload = new Uint8Array(2000);
    const into = new Uint8Array(300_000);
    let now = 0;
    let fed = 0;
    const near = (): number => below(300) - 20;
    const segment = (): Buffer => {
      const len = random() < 0.5 ? 0 : below(1400);
      const wild = random() < 0.1;
      const number = (): number => (wild ? below(2 ** 32) : near());
      const cmd = random() < 0.05 ? below(256) : 81 + below(4);
      const told = random() < 0.02 ? below(2 ** 32) : len;
      const fields = {
        conv: 5,
        cmd,
        frg: below(256),
        wnd: below(65_536),
        ts: now - below(100),
        sn: number(),
        una: number(),
        len: told,
      };
      return Buffer.concat([header(fields), payload.subarray(0, len)]);
    };
    for (let count = 0; count < COUNT / Object.keys(profiles).length; count++) {
      fed++;
      const datagram = random() < 0.8 ? segment() : Buffer.concat([segment(), segment(), segment()]);
      if (random() < 0.3) datagram[below(datagram.length)] = below(256);
      kcp.input(random() < 0.1 ? datagram.subarray(0, below(datagram.length)) : datagram, now);
      if (random() < 0.2 && kcp.waiting < 500) kcp.send(payload, 0, below(2000));
      if (random() < 0.1) kcp.update((now += random() * 40));
      if (random() < 0.05) kcp.check(now);
      if (random() < 0.05) {
        if (options.stream) kcp.readStream(into);
        else if (kcp.recv(into) === -3) assert.fail('a message of more than 255 fragments came out');
      }
      if (count % 64 > 0) continue;
      const stats = kcp.stats();
      assert.ok(stats.receiveQueueBytes <= LIMIT_BYTES);
      assert.ok(stats.inFlightBytes >= 0, 'in flight');
      assert.ok(kcp.pendingAcks <= 8192);
    }
    assert.ok(out > 0);
    assert.equal(fed, Math.ceil(COUNT / Object.keys(profiles).length));
  });
}
