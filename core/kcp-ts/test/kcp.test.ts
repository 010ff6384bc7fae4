import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conversationOf, HEADER_BYTES, Kcp, MAX_WINDOW, type KcpOptions } from '../src/index.ts';
import { header } from './wire.ts';

const CONV = 0x01020304;

function kcpWith(options: Partial<KcpOptions> = {}): { kcp: Kcp; sent: Buffer[] } {
  const sent: Buffer[] = [];
  const output = (buffer: Uint8Array, length: number): void =>
    void sent.push(Buffer.from(buffer.subarray(0, length)));
  return { kcp: new Kcp({ conv: CONV, output, ...options }), sent };
}

const rejected: { name: string; datagram: Buffer; expected: string }[] = [
  { name: 'nothing', datagram: Buffer.alloc(0), expected: 'short' },
  { name: 'less than a header', datagram: Buffer.alloc(23), expected: 'short' },
  { name: 'another conversation', datagram: header({ conv: 1 }), expected: 'wrong-conv' },
  { name: 'a payload that is not there', datagram: header({ conv: CONV, len: 1 }), expected: 'truncated' },
  { name: 'a negative length', datagram: header({ conv: CONV, len: -1 }), expected: 'truncated' },
  { name: 'an unknown command', datagram: header({ conv: CONV, cmd: 85 }), expected: 'unknown-cmd' },
  {
    name: 'an acknowledgement of what was never sent',
    datagram: header({ conv: CONV, una: 1 }),
    expected: 'bad-una',
  },
];

for (const { name, datagram, expected } of rejected) {
  for (const classic of [undefined, {}]) {
    test(`input refuses ${name} (${classic ? 'classic' : 'adaptive'})`, () => {
      const { kcp } = kcpWith(classic ? { classic } : {});
      assert.equal(kcp.input(datagram, 0), expected);
      assert.equal(kcp.stats().rejectedDatagrams, 1);
      assert.equal(kcp.recv(new Uint8Array(10)), -1);
    });
  }
}

test('a message comes out as it went in, over several segments, and small ones share a datagram', () => {
  const { kcp: from, sent } = kcpWith({ mtuBytes: 100 });
  const { kcp: to } = kcpWith({ mtuBytes: 100 });
  const message = Buffer.from(Array.from({ length: 200 }, (_, index) => index));
  assert.equal(from.send(message), 200);
  assert.equal(from.send(Buffer.from('a')), 1);
  assert.equal(from.send(Buffer.from('b')), 1);
  from.update(0);
  assert.deepEqual(
    sent.map((datagram) => datagram.length),
    [100, 100, HEADER_BYTES + 48 + HEADER_BYTES + 1, HEADER_BYTES + 1],
  );
  for (const datagram of sent.slice(0, 2)) assert.equal(to.input(datagram, 5), 'ok');
  assert.equal(to.peekSize(), -1, 'the message is not whole yet');
  for (const datagram of sent.slice(2)) assert.equal(to.input(datagram, 5), 'ok');
  assert.equal(to.recv(new Uint8Array(10)), -3);
  const into = Buffer.alloc(200);
  assert.equal(to.recv(into), 200);
  assert.deepEqual(into, message);
  assert.equal(to.recv(into), 1);
  assert.equal(into[0], 'a'.charCodeAt(0));
});

test('send refuses a message of 128 fragments or more', () => {
  const { kcp } = kcpWith({ mtuBytes: 50 });
  assert.equal(kcp.send(Buffer.alloc(26 * 127)), 26 * 127);
  assert.equal(kcp.send(Buffer.alloc(26 * 127 + 1)), -2);
});

test('stream mode fills segments, and an empty one is the end', () => {
  const { kcp: from, sent } = kcpWith({ mtuBytes: 64, stream: true });
  const { kcp: to } = kcpWith({ mtuBytes: 64, stream: true });
  for (const part of ['hello ', 'stream ', 'of bytes']) from.send(Buffer.from(part));
  from.sendEnd();
  from.update(0);
  for (const datagram of sent) to.input(datagram, 1);
  const into = Buffer.alloc(64);
  const length = to.readStream(into);
  assert.equal(into.toString('latin1', 0, length), 'hello stream of bytes');
  assert.equal(to.ended, true);
});

test('acknowledgements go out once for a batch of datagrams', () => {
  const { kcp: from, sent } = kcpWith({ mtuBytes: 64, congestion: 'none' });
  const { kcp: to, sent: acks } = kcpWith();
  for (let index = 0; index < 20; index++) from.send(Buffer.alloc(40, index));
  from.update(0);
  for (const datagram of sent) to.input(datagram, 1);
  assert.equal(to.pendingAcks, 20);
  assert.equal(to.check(1), 1);
  to.flush(1);
  assert.equal(acks.length, 1);
  assert.equal(acks[0]!.length, 20 * HEADER_BYTES);
  assert.equal(from.input(acks[0]!, 2), 'ok');
  assert.equal(from.waiting, 0);
});

test('MTU changes hold for new segments, in both directions', () => {
  const { kcp, sent } = kcpWith({ mtuBytes: 100, stream: true, congestion: 'none' });
  kcp.send(Buffer.alloc(50));
  kcp.setMtu(1000);
  kcp.send(Buffer.alloc(1500));
  kcp.update(0);
  assert.ok(Math.max(...sent.map(({ length }) => length)) > 900);
  sent.length = 0;
  kcp.setMtu(60);
  kcp.send(Buffer.alloc(500));
  kcp.update(1);
  assert.ok(sent.length > 0 && Math.max(...sent.map(({ length }) => length)) <= 60);
  assert.throws(() => kcp.setMtu(49), RangeError);
  assert.throws(() => kcp.setMtu(70_000), RangeError);
});

test('headroom stays free before each datagram', () => {
  const { kcp, sent } = kcpWith({ mtuBytes: 100, headroomBytes: 8, stream: true, congestion: 'none' });
  kcp.send(Buffer.alloc(150));
  kcp.update(0);
  for (const datagram of sent) assert.equal(conversationOf(datagram.subarray(8)), CONV);
  assert.equal(sent[0]!.length, 108);
});

test('a full window is told, asked about and told again when it opens', () => {
  const { kcp: from, sent } = kcpWith({ stream: true, congestion: 'none' });
  const { kcp: to, sent: back } = kcpWith({ stream: true, receiveWindow: 128 });
  from.backlogged = true;
  let now = 0;
  const exchange = (): void => {
    from.send(Buffer.alloc(50_000));
    from.update(now);
    for (const datagram of sent.splice(0)) to.input(datagram, now);
    to.update(now);
    for (const datagram of back.splice(0)) from.input(datagram, now);
  };
  for (; now < 50; now++) exchange();
  assert.equal(from.remoteWindow, 0);
  const before = from.stats().datagramsOut;
  for (; now < 2000; now++) exchange();
  assert.ok(from.stats().datagramsOut - before < 20, 'only probes go out');
  assert.ok(from.stats().datagramsOut > before, 'probes do go out');
  const into = new Uint8Array(65_536);
  while (to.readStream(into) > 0);
  exchange();
  assert.ok(from.remoteWindow >= 64, 'the opened window was told');
});

test('what a peer sends beyond the window or the limit is not kept', () => {
  const { kcp } = kcpWith({ receiveWindow: 128, receiveLimitBytes: 100_000 });
  for (let sn = 1; sn < 100_000; sn += 7) {
    kcp.input(Buffer.concat([header({ conv: CONV, cmd: 81, sn, len: 1300 }), Buffer.alloc(1300)]), 0);
  }
  assert.ok(kcp.stats().receiveQueueBytes <= 100_000);
  assert.ok(kcp.pendingAcks <= 128);
  assert.ok(kcp.stats().receiveWindow <= MAX_WINDOW);
});

test('a segment that is late is not sent again when its acknowledgement shows that it was needless', () => {
  const { kcp, sent } = kcpWith({ mtuBytes: 64 });
  const acknowledge = (datagram: Buffer): Buffer =>
    header({ conv: CONV, cmd: 82, ts: datagram.readInt32LE(8), sn: datagram.readInt32LE(12), wnd: 128 });
  let now = 0;
  kcp.send(Buffer.alloc(40));
  kcp.update(now);
  now = 20;
  kcp.input(acknowledge(sent[0]!), now);
  kcp.send(Buffer.alloc(40));
  kcp.update(now);
  const original = sent.at(-1)!;
  while (sent.at(-1) === original) kcp.update((now = Math.max(now + 1, Math.ceil(kcp.check(now)))));
  assert.equal(kcp.stats().retransmits, 1);
  kcp.input(acknowledge(original), now + 1);
  assert.equal(kcp.stats().spuriousRetransmits, 1);
  assert.equal(kcp.stats().lossRatio, 0);
  assert.equal(kcp.waiting, 0);
});

test('a timer that fires late waits for what the socket may hold before it sends again', () => {
  const { kcp, sent } = kcpWith();
  kcp.send(Buffer.alloc(10));
  kcp.update(0);
  const late = kcp.check(0) + 100;
  kcp.update(late);
  assert.equal(sent.length, 1);
  kcp.update(kcp.check(late));
  assert.equal(sent.length, 2);
});
