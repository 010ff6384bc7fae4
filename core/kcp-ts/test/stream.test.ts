import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { ERR_KCP_DEAD_LINK } from '../src/index.ts';
import { seeded, streamPair, VirtualClock, type Link } from './pair.ts';

function randomBytes(length: number, seed: number): Buffer {
  const random = seeded(seed);
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}

function digestOf(stream: Duplex): { hex: () => string; bytes: () => number; ended: () => boolean } {
  const hash = createHash('sha256');
  let bytes = 0;
  let ended = false;
  stream.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  stream.on('end', () => (ended = true));
  return { hex: () => hash.copy().digest('hex'), bytes: () => bytes, ended: () => ended };
}

const links: { name: string; link: Link }[] = [
  { name: 'a perfect link', link: {} },
  { name: 'delay', link: { delayMs: 40 } },
  { name: '1 % loss', link: { delayMs: 20, loss: 0.01 } },
  {
    name: '10 % loss, jitter and duplicates',
    link: { delayMs: 20, jitterMs: 15, loss: 0.1, duplicate: 0.05 },
  },
  { name: 'datagrams of 300 bytes', link: { delayMs: 5, loss: 0.02, maxDatagramBytes: 300 } },
];

for (const { name, link } of links) {
  test(`both directions arrive whole over ${name}, and end`, async () => {
    const clock = new VirtualClock();
    const [left, right] = streamPair(clock, 1, link);
    const there = randomBytes(300_000, 2);
    const back = randomBytes(100_000, 3);
    const atRight = digestOf(right);
    const atLeft = digestOf(left);
    left.end(there);
    right.end(back);
    await clock.run(() => atRight.ended() && atLeft.ended() && left.destroyed && right.destroyed, 60_000);
    assert.equal(atRight.bytes(), there.length);
    assert.equal(atRight.hex(), createHash('sha256').update(there).digest('hex'));
    assert.equal(atLeft.hex(), createHash('sha256').update(back).digest('hex'));
    await clock.run(() => false, 1000);
    assert.equal(clock.pending, 0, 'no timer is left');
  });
}

test('a dead link fails the stream with its code', async () => {
  const clock = new VirtualClock();
  const [left, right] = streamPair(clock, 1, { loss: 1 });
  let code: unknown;
  left.on('error', (error: NodeJS.ErrnoException) => (code = error.code));
  left.write('hello');
  await clock.run(() => code !== undefined, 30_000);
  assert.equal(code, ERR_KCP_DEAD_LINK);
  assert.ok(clock.now() < 6000);
  right.destroy();
  await clock.run(() => false, 1000);
  assert.equal(clock.pending, 0);
});

test('a reader that stops holds the writer back, and nothing is lost when it goes on', async () => {
  const clock = new VirtualClock();
  const [left, right] = streamPair(clock, 1, { delayMs: 10 }, { receiveWindow: 128 });
  const bytes = randomBytes(2_000_000, 5);
  left.end(bytes);
  await clock.run(() => false, 20_000);
  assert.ok(right.stats().receiveQueueBytes <= 2 * 128 * 1400);
  assert.equal(left.writableFinished, false);
  const digest = digestOf(right);
  await clock.run(digest.ended, 60_000);
  assert.equal(digest.hex(), createHash('sha256').update(bytes).digest('hex'));
  left.destroy();
  right.destroy();
});
