import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { FrameReader, FrameWriter } from '../src/process/framing.ts';
import { ManualClock } from './support/fakes.ts';

const LIMITS = { messageBytes: 100, messagesPerSecond: 3, bytesPerSecond: 1000 };

function reader(clock = new ManualClock()): {
  readonly feed: (bytes: Buffer) => void;
  readonly messages: unknown[];
  readonly violations: string[];
} {
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const messages: unknown[] = [];
  const violations: string[] = [];
  new FrameReader(stream, LIMITS, clock, (reason) => violations.push(reason)).listen((message) =>
    messages.push(message),
  );
  return { feed: (bytes) => stream.emit('data', bytes), messages, violations };
}

function frame(body: string): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(Buffer.byteLength(body));
  return Buffer.concat([header, Buffer.from(body)]);
}

const ping = '{"jsonrpc":"2.0","method":"ping"}';

test('frames arrive whole, however they are cut', () => {
  const bytes = Buffer.concat([frame(ping), frame('{"jsonrpc":"2.0","method":"ä"}')]);
  for (let size = 1; size <= bytes.length; size += 1) {
    const { feed, messages, violations } = reader();
    for (let at = 0; at < bytes.length; at += size) feed(bytes.subarray(at, at + size));
    assert.deepEqual(messages, [
      { jsonrpc: '2.0', method: 'ping' },
      { jsonrpc: '2.0', method: 'ä' },
    ]);
    assert.deepEqual(violations, []);
  }
});

const broken: readonly (readonly [name: string, bytes: Buffer, violation: RegExp])[] = [
  ['too long', Buffer.from([0, 0, 1, 0]), /a message of 256 bytes; the limit is 100/],
  ['no JSON', frame('{'), /not JSON$/],
  ['no JSON-RPC', frame('[]'), /not JSON-RPC/],
  ['too many', Buffer.concat([ping, ping, ping, ping].map(frame)), /more than 3 messages in a second/],
  ['too much', Buffer.alloc(1001), /more than 1000 bytes in a second/],
];
for (const [name, bytes, violation] of broken) {
  test(`refused, and nothing read after it: ${name}`, () => {
    const { feed, messages, violations } = reader();
    feed(bytes);
    const before = messages.length;
    feed(frame(ping));
    assert.equal(messages.length, before);
    assert.equal(violations.length, 1);
    assert.match(violations[0] ?? '', violation);
  });
}

test('the rate is for each second', () => {
  const clock = new ManualClock();
  const { feed, messages, violations } = reader(clock);
  for (let second = 0; second < 5; second += 1) {
    for (let count = 0; count < 3; count += 1) feed(frame(ping));
    clock.advance(1000);
  }
  assert.deepEqual([messages.length, violations.length], [15, 0]);
});

test('the writer refuses what the reader would', async () => {
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const writer = new FrameWriter(stream, 100);
  await assert.rejects(writer.write({ jsonrpc: 'x'.repeat(100) }), /the limit is 100/);
  stream.destroy();
  await assert.rejects(writer.write({ jsonrpc: '2.0' }), /closed/);
});
