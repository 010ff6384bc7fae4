import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { encodeNumber, encodeOffset, encodeRecord, RECORD } from '../../src/session/record.ts';
import { FRAME, write } from '../../src/session/frame.ts';
import { RawPeer } from './raw-peer.ts';
import { noise, pair } from './support.ts';

function frame(make: (into: Buffer) => number): Buffer {
  const into = Buffer.alloc(20_000);
  return into.subarray(0, make(into));
}

const open = (id: number, header = '{}'): Buffer =>
  frame((into) => write.open(into, 0, id, Buffer.from(header)));
const data = (id: number, offset: number, bytes: number): Buffer =>
  frame((into) => write.data(into, 0, id, offset, bytes) + bytes);

suite('a hostile peer with the right key', { timeout: 30_000 }, () => {
  const firstMessages: readonly [string, (peer: RawPeer) => Buffer, string][] = [
    ['another session', (peer) => peer.hello({ sessionId: noise(16) }), 'ERR_SESSION_PROTOCOL'],
    ['other signalling', (peer) => peer.hello({ transcript: noise(32) }), 'ERR_SESSION_PROTOCOL'],
    [
      'received bytes that were never sent',
      (peer) => peer.resume(noise(32), { received: 1 }),
      'ERR_SESSION_PROTOCOL',
    ],
    ['another version', (peer) => Buffer.from(peer.hello()).fill(9, 4, 6), 'ERR_SESSION_PROTOCOL'],
    ['a nomination first', (peer) => peer.nominate(1), 'ERR_SESSION_PROTOCOL'],
    ['data first', (peer) => peer.bytes(0, open(0)), 'ERR_SESSION_PROTOCOL'],
    ['junk', () => noise(1000).fill(0xff, 0, 1), 'ERR_SESSION_PROTOCOL'],
    ['a record that is too long', () => Buffer.from('10ffffff', 'hex'), 'ERR_SESSION_PROTOCOL'],
  ];
  for (const [what, make, code] of firstMessages) {
    test(`first message: ${what}: the path is refused, the session goes on`, async () => {
      using p = pair();
      const peer = await RawPeer.connect(p.b);
      peer.send(make(peer));
      await assert.rejects(peer.attached, { code });
      await peer.closed();
      assert.equal(p.b.closed, undefined);
      await p.connect();
    });
  }

  const afterwards: readonly [string, (peer: RawPeer) => Buffer][] = [
    ['an unknown record', () => Buffer.from('7f00000100', 'hex')],
    ['a second hello', (peer) => peer.hello()],
    ['a second nomination on one path', (peer) => peer.nominate(2)],
    ['an answer to no nomination', () => encodeOffset(RECORD.nominated, 0, 1)],
    ['a gap in the byte stream', (peer) => peer.bytes(10, open(0))],
    ['confirmation of bytes that were never sent', () => encodeOffset(RECORD.ack, 1_000_000)],
    ['an answer to no ping', () => encodeNumber(RECORD.pong, 7)],
    ['an unknown frame', (peer) => peer.bytes(0, Buffer.from([99]))],
    ['a frame of type 0', (peer) => peer.bytes(0, Buffer.from([0]))],
    ['a stream out of turn', (peer) => peer.bytes(0, open(2))],
    ['a stream of ours', (peer) => peer.bytes(0, open(1))],
    ['a header that is not JSON', (peer) => peer.bytes(0, open(0, '{'))],
    ['a header that is too long', (peer) => peer.bytes(0, Buffer.from([FRAME.open, 0, 0, 0, 0, 0xff, 0xff]))],
    ['data of a stream that is not open', (peer) => peer.bytes(0, data(0, 0, 1))],
    ['data out of order', (peer) => peer.bytes(0, Buffer.concat([open(0), data(0, 5, 1)]))],
    ['an empty data frame', (peer) => peer.bytes(0, Buffer.concat([open(0), data(0, 0, 0)]))],
    ['a data frame that is too long', (peer) => peer.bytes(0, Buffer.concat([open(0), data(0, 0, 16_385)]))],
    [
      'an end at the wrong offset',
      (peer) => peer.bytes(0, Buffer.concat([open(0), frame((f) => write.fin(f, 0, 0, 9))])),
    ],
    [
      'data after the end',
      (peer) => peer.bytes(0, Buffer.concat([open(0), frame((f) => write.fin(f, 0, 0, 0)), data(0, 0, 1)])),
    ],
    [
      'credit for bytes never sent',
      (peer) => peer.bytes(0, Buffer.concat([open(0), frame((f) => write.window(f, 0, 0, 5, 1))])),
    ],
    [
      'a block beyond the limit',
      (peer) => peer.bytes(0, Buffer.concat([open(0), frame((f) => write.blocked(f, 0, 0, 1e9))])),
    ],
    [
      'a reset without a code',
      (peer) => peer.bytes(0, Buffer.concat([open(0), Buffer.from([4, 0, 0, 0, 0, 0])])),
    ],
    [
      'a reset of what is not open',
      (peer) =>
        peer.bytes(
          0,
          frame((f) => write.reset(f, 0, 0, 'ERR_STREAM_RESET')),
        ),
    ],
    [
      'more than the window of a stream that nobody reads',
      (peer) => {
        const frames = [open(0)];
        for (let i = 0; i < 5; i++) frames.push(data(0, i * 16_384, 16_384));
        const all = Buffer.concat(frames);
        return Buffer.concat([
          peer.bytes(0, all.subarray(0, 60_000)),
          peer.bytes(60_000, all.subarray(60_000)),
        ]);
      },
    ],
  ];
  for (const [what, make] of afterwards) {
    test(`${what}: the session is closed`, async () => {
      using p = pair();
      p.b.onStream = () => {};
      const closed = new Promise<string>((resolve) => (p.b.onClosed = resolve));
      const peer = await RawPeer.connect(p.b);
      await peer.begin();
      peer.send(make(peer));
      assert.equal(await closed, 'ERR_SESSION_PROTOCOL');
      assert.equal((await peer.next(RECORD.close)).toString(), 'ERR_SESSION_PROTOCOL');
      await peer.closed();
    });
  }

  test('too many streams: those over the limit are refused, the others live', async () => {
    using p = pair({ limits: { streams: 10 } });
    let opened = 0;
    p.b.onStream = () => opened++;
    const peer = await RawPeer.connect(p.b);
    await peer.begin();
    peer.send(peer.bytes(0, Buffer.concat(Array.from({ length: 12 }, (_, n) => open(2 * n)))));
    const refusals = (): number => peer.said().split('ERR_STREAM_LIMIT').length - 1;
    await until(() => refusals() === 2, peer);
    assert.equal(refusals(), 2);
    assert.equal(opened, 10);
    assert.equal(p.b.stats().streams, 10);
  });

  test('60 000 one-byte frames that nobody reads cost little more than their bytes', async () => {
    using p = pair();
    p.b.onStream = () => {};
    const peer = await RawPeer.connect(p.b);
    await peer.begin();
    const frames = Buffer.alloc(60_000 * 14);
    for (let i = 0; i < 60_000; i++) write.data(frames, i * 14, 0, i, 1);
    const all = Buffer.concat([open(0), frames]);
    for (let at = 0; at < all.length; at += 60_000) peer.send(peer.bytes(at, all.subarray(at, at + 60_000)));
    await until(() => p.b.stats().unreadBytes === 60_000 - 1, peer);
    assert.equal(p.b.closed, undefined);
    assert.ok(p.b.stats().bufferedBytes < 300_000);
  });

  test('a resume is bound to its connection, its role and its secret, and its offsets must be possible', async () => {
    using p = pair();
    let streams = 0;
    p.b.onStream = () => streams++;
    const first = await RawPeer.connect(p.b);
    await first.begin();
    const secret = first.secret();
    const sent = open(0);
    first.send(first.bytes(0, sent));
    await first.next(RECORD.ack);
    const lost = new Promise((resolve) => (p.b.onPathLost = resolve));
    first.tls.destroy();
    await lost;

    const second = await RawPeer.connect(p.b);
    const captured = second.resume(secret, { sent: sent.length });
    second.send(captured);
    await second.attached;
    const bad: readonly [string, (peer: RawPeer) => Buffer][] = [
      ['replayed from another path', () => captured],
      ['made with another secret', (peer) => peer.resume(noise(32), { sent: sent.length })],
      ['of an unknown epoch', (peer) => peer.resume(secret, { sent: sent.length, epoch: 5 })],
      [
        'that has received what was never sent',
        (peer) => peer.resume(secret, { sent: sent.length, received: 1e6 }),
      ],
      ['a hello, as if nothing had been', (peer) => peer.hello()],
      ['our own message, reflected', (peer) => encodeRecord(RECORD.resume, peer.received[0]![1])],
    ];
    for (const [what, make] of bad) {
      const peer = await RawPeer.connect(p.b);
      if (what.includes('reflected')) await peer.next(RECORD.resume);
      peer.send(make(peer));
      await assert.rejects(peer.attached, { code: 'ERR_SESSION_RESUME' }, what);
    }
    second.tls.destroy();
    // Alone, it cannot have sent less than arrived here.
    // Nothing tells from outside that the other end has noticed: it does within a few turns of the loop.
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    const third = await RawPeer.connect(p.b);
    third.send(third.resume(secret, { sent: 0 }));
    await assert.rejects(third.attached, { code: 'ERR_SESSION_RESUME' });
    const fourth = await RawPeer.connect(p.b);
    fourth.send(fourth.resume(secret, { sent: sent.length }), fourth.nominate(2));
    await fourth.next(RECORD.nominated);
    // Sent again from the start: what was there already is skipped.
    fourth.send(fourth.bytes(0, Buffer.concat([sent, open(2)])));
    await fourth.next(RECORD.ack);
    assert.equal(streams, 2);
    assert.equal(p.b.closed, undefined);
  });

  test('the controlled side cannot choose the path, nor use one that was not chosen', async () => {
    using p = pair();
    const peer = await RawPeer.connect(p.b);
    await peer.begin();
    const other = await RawPeer.connect(p.b);
    other.send(other.resume(peer.secret(), {}), other.bytes(0, open(0)));
    await other.closed();
    assert.equal(p.b.closed, undefined);
    assert.equal(p.b.stats().epoch, 1);
  });
});

/** Waits turn by turn, so long as the peer's connection lives. */
async function until(condition: () => boolean, peer: RawPeer): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (!condition() && !peer.tls.destroyed);
}
