import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import type { DatagramChannel } from '@awl/api';
import { DATAGRAM_SECRET_BYTES, DatagramSeal } from '../../src/session/datagram.ts';
import { ReplayWindow } from '../../src/session/replay-window.ts';
import { seeded } from './cutter.ts';
import { noise, pair } from './support.ts';

const secret = noise(DATAGRAM_SECRET_BYTES);

/** Two ends of an unreliable channel; `sent` keeps what went from a to b. */
function channels(headroomBytes = 0): { a: DatagramChannel; b: DatagramChannel; sent: Buffer[] } {
  const sent: Buffer[] = [];
  const b: DatagramChannel = {
    maxDatagramBytes: 1200,
    headroomBytes,
    onDatagram: null,
    send: (datagram) => a.onDatagram?.(Buffer.from(datagram), headroomBytes),
  };
  const a: DatagramChannel = {
    maxDatagramBytes: 1200,
    headroomBytes,
    onDatagram: null,
    send(datagram) {
      sent.push(Buffer.from(datagram));
      b.onDatagram?.(Buffer.from(datagram), headroomBytes);
    },
  };
  return { a, b, sent };
}

suite('datagrams', { timeout: 20_000 }, () => {
  test('the replay window agrees with a set of all counters (seeded)', () => {
    const random = seeded(3);
    const window = new ReplayWindow();
    const seen = new Set<number>();
    let newest = -1;
    for (let i = 0; i < 50_000; i++) {
      const jump = random() < 0.001 ? 5000 : 3;
      const counter = Math.max(
        0,
        newest + Math.floor(random() * jump) - Math.floor(random() * (i % 100 === 0 ? 3000 : 300)),
      );
      const accepted = window.accepts(counter);
      if (seen.has(counter)) assert.equal(accepted, false, `${counter} again`);
      else if (counter > newest - 2016) assert.equal(accepted, true, `${counter} is new, newest ${newest}`);
      if (!accepted) continue;
      window.mark(counter);
      seen.add(counter);
      newest = Math.max(newest, counter);
    }
  });

  test('forged, damaged, repeated, reflected and short datagrams are dropped', () => {
    const a = new DatagramSeal(secret, true);
    const b = new DatagramSeal(secret, false);
    const first = a.seal(7, Buffer.from('hello'));
    assert.deepEqual(b.open(first), { channelId: 7, payload: Buffer.from('hello') });
    assert.equal(b.open(first), undefined);
    assert.equal(a.open(a.seal(7, Buffer.from('mine'))), undefined);
    assert.equal(new DatagramSeal(noise(DATAGRAM_SECRET_BYTES), false).open(a.seal(1, noise(10))), undefined);
    const sealed = a.seal(7, noise(100));
    for (let at = 0; at < sealed.length; at++) {
      const damaged = Buffer.from(sealed);
      damaged[at]! ^= 1 + (at % 255);
      assert.equal(b.open(damaged), undefined, `byte ${at}`);
      assert.equal(b.open(sealed.subarray(0, at)), undefined, `${at} bytes`);
    }
    // None of these moved the window.
    assert.equal(b.open(sealed)?.payload.length, 100);
    assert.equal(b.open(a.seal(0, Buffer.alloc(0)))?.payload.length, 0);
  });

  test('they go beside the stream where there is a channel, each path with its own keys', async () => {
    using p = pair();
    const first = channels();
    await p.connect({ a: { datagrams: first.a }, b: { datagrams: first.b } });
    const received: string[] = [];
    p.b.onDatagram = (channel, payload) => received.push(`${channel} ${payload.toString()}`);
    assert.equal(p.a.sendDatagram(3, Buffer.from('beside')), true);
    assert.deepEqual(received, ['3 beside']);
    first.b.onDatagram!(first.sent[0]!);
    first.b.onDatagram!(noise(100));
    assert.deepEqual(received, ['3 beside']);
    assert.equal(first.sent[0]!.includes('beside'), false);

    const second = channels(8);
    await p.connect({ a: { datagrams: second.a }, b: { datagrams: second.b } });
    second.b.onDatagram!(first.sent[0]!);
    assert.equal(p.a.maxDatagramBytes, 1164);
    p.a.sendDatagram(4, Buffer.from('again'));
    assert.deepEqual(received, ['3 beside', '4 again']);
  });

  test('they go over the stream without a channel, or when they are too large for it', async () => {
    using p = pair();
    assert.equal(p.a.sendDatagram(1, Buffer.from('no path')), false);
    const channel = channels();
    await p.connect({ a: { datagrams: channel.a }, b: { datagrams: channel.b } });
    assert.equal(p.a.maxDatagramBytes, 1172);
    const received: number[] = [];
    const all = new Promise<void>((resolve) => {
      p.b.onDatagram = (_channel, payload) => {
        received.push(payload.length);
        if (received.length === 3) resolve();
      };
    });
    for (const sizeBytes of [1172, 1173, 65_507]) assert.equal(p.a.sendDatagram(1, noise(sizeBytes)), true);
    assert.equal(p.a.sendDatagram(1, noise(65_508)), false);
    await all;
    assert.deepEqual(
      received.sort((x, y) => x - y),
      [1172, 1173, 65_507],
    );
    assert.equal(channel.sent.length, 1);
  });

  test('what waits for the stream is bounded', async () => {
    using p = pair();
    await p.connect();
    let accepted = 0;
    while (accepted < 1000 && p.a.sendDatagram(1, noise(10_000))) accepted++;
    assert.ok(accepted < 40, `${accepted} of 10 kB wait`);
    const arrived = new Promise<void>((resolve) => (p.b.onDatagram = () => resolve()));
    await arrived;
    const stream = p.a.openStream('still alive');
    p.b.onStream = (incoming) => incoming.end('yes');
    const [answer] = (await once(stream, 'data')) as [Buffer];
    assert.equal(answer.toString(), 'yes');
  });
});
