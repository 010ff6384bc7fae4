import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { FrameParser, type FrameHandler } from '../../src/session/frame.ts';
import { SESSION_LIMITS, type SessionLimits } from '../../src/session/limits.ts';
import { Mux } from '../../src/session/mux.ts';
import type { MuxStream, StreamSink } from '../../src/session/mux-stream.ts';
import { seeded } from './cutter.ts';
import { describePath, hash, linkedPair, noise, openBoth, pair, readAll } from './support.ts';

/** A sink that takes everything, or nothing. */
class Sink implements StreamSink {
  receivedBytes = 0;
  codes: string[] = [];
  readonly reads: boolean;
  constructor(reads: boolean) {
    this.reads = reads;
  }
  data(chunk: Buffer): boolean {
    this.receivedBytes += chunk.length;
    return this.reads;
  }
  roomy(): void {}
  finished(): void {}
  fin(): void {}
  ended(code: string): void {
    this.codes.push(code);
  }
}

function muxes(limits: Partial<SessionLimits> = {}) {
  const all = { ...SESSION_LIMITS, ...limits };
  const opened: [MuxStream, Sink][] = [];
  const a = new Mux(true, all, { onWant() {}, onOpen() {} });
  const b = new Mux(false, all, {
    onWant() {},
    onOpen(stream) {
      const sink = new Sink(true);
      stream.sink = sink;
      stream.reading = true;
      opened.push([stream, sink]);
    },
  });
  return { a, b, opened };
}

const room = Buffer.alloc(65_536);

/** What a mux has to say, at most one record of it. */
function say(mux: Mux): Buffer {
  return Buffer.from(room.subarray(10, mux.pull(room, 10, room.length)));
}

suite('flow between streams', { timeout: 30_000 }, () => {
  test('a small write goes before bulk data that wait', () => {
    const { a } = muxes();
    const order: number[] = [];
    const log = {
      onOpen() {},
      onFin() {},
      onReset() {},
      onWindow() {},
      onBlocked() {},
      onSessionWindow() {},
    };
    const parser = new FrameParser({
      ...log,
      onData: (stream: number) => void (order.at(-1) !== stream && order.push(stream)),
    } as unknown as FrameHandler);
    const bulk = Array.from({ length: 5 }, () => a.open(Buffer.from('0'))!);
    const small = a.open(Buffer.from('0'))!;
    parser.push(say(a));
    for (const stream of bulk) a.write(stream, Buffer.alloc(60_000));
    // Each has its first turn.
    for (let i = 0; i < 3; i++) parser.push(say(a));
    order.length = 0;
    a.write(small, Buffer.from('key'));
    parser.push(say(a));
    assert.ok(order.indexOf(small.id) >= 0 && order.indexOf(small.id) <= 1, `order ${order.join()}`);
  });

  test('bulk streams get equal shares', () => {
    const { a, b, opened } = muxes();
    const streams = Array.from({ length: 8 }, () => a.open(Buffer.from('0'))!);
    for (const stream of streams) a.write(stream, Buffer.alloc(1_000_000));
    for (let i = 0; i < 40; i++) {
      b.receive(say(a));
      a.receive(say(b));
    }
    const shares = opened.map(([, sink]) => sink.receivedBytes);
    assert.ok(Math.min(...shares) > 0.7 * Math.max(...shares), `shares ${shares.join()}`);
  });

  test('the window of one stream grows to what 100 ms at 1 Gbit/s need, and no stream holds another up', () => {
    const { a, b, opened } = muxes();
    const stream = a.open(Buffer.from('0'))!;
    // One step is a round trip, in which the path carries 12.5 MB; what is said in one arrives in the next.
    const pathBytes = 12_500_000;
    let perTrip = 0;
    for (let trip = 0; trip < 14; trip++) {
      const before = opened[0]?.[1].receivedBytes ?? 0;
      const inFlight: Buffer[] = [];
      for (let bytes = 0; bytes < pathBytes;) {
        if (!stream.hasPending) a.write(stream, Buffer.alloc(65_536));
        const said = say(a);
        if (said.length === 0) break;
        bytes += said.length;
        inFlight.push(said);
      }
      for (const said of inFlight) assert.equal(b.receive(said), undefined);
      a.receive(say(b));
      perTrip = opened[0]![1].receivedBytes - before;
    }
    assert.ok(perTrip > 12_000_000, `${perTrip} bytes a round trip`);
  });

  test('growth is bounded over all streams, and given back', () => {
    const { a, b, opened } = muxes({ windowGrowthBytes: 1_000_000 });
    for (let round = 0; round < 5; round++) {
      const streams = Array.from({ length: 10 }, () => a.open(Buffer.from('0'))!);
      for (let trip = 0; trip < 10; trip++) {
        for (const stream of streams) if (!stream.hasPending) a.write(stream, Buffer.alloc(4_000_000));
        for (let said = say(a); said.length > 0; said = say(a)) b.receive(said);
        for (let said = say(b); said.length > 0; said = say(b)) a.receive(said);
      }
      const windows = opened.slice(-10).map(([stream]) => stream.windowBytes);
      const grown = windows.reduce((sum, bytes) => sum + bytes - 65_536, 0);
      assert.ok(grown > 500_000 && grown <= 1_000_000, `grown by ${grown}`);
      for (const stream of streams) a.reset(stream, 'ERR_STREAM_RESET');
      b.receive(say(a));
      assert.equal(b.streams, 0);
    }
  });

  test('random bytes never throw, and are refused or wait for more', () => {
    const random = seeded(7);
    for (let run = 0; run < 300; run++) {
      const { a, b } = muxes();
      const stream = a.open(Buffer.from('{"x":1}'))!;
      a.write(stream, noise(3000));
      a.end(stream);
      const valid = say(a);
      for (let i = 0; i < 3; i++) valid[Math.floor(random() * valid.length)] = Math.floor(random() * 256);
      let fault: string | undefined;
      for (let at = 0; at < valid.length && fault === undefined;) {
        const end = at + 1 + Math.floor(random() * 700);
        fault = b.receive(valid.subarray(at, end));
        at = end;
      }
      assert.ok(b.queuedBytes <= 4000);
    }
    for (let run = 0; run < 300; run++) {
      const { b } = muxes();
      let fault: string | undefined;
      for (let i = 0; i < 20 && fault === undefined; i++) fault = b.receive(noise(500));
      assert.equal(typeof fault, 'string');
    }
  });

  test('frames cut at every byte arrive the same', () => {
    const { a } = muxes();
    const stream = a.open(Buffer.from('{"forward":"web"}'))!;
    a.write(stream, noise(300));
    a.end(stream);
    const said = say(a);
    for (let cut = 1; cut < said.length; cut++) {
      const { b, opened } = muxes();
      assert.equal(b.receive(said.subarray(0, cut)), undefined);
      assert.equal(b.receive(said.subarray(cut)), undefined);
      assert.equal(opened[0]![1].receivedBytes, 300);
      assert.equal(opened[0]![0].finReceived, true);
    }
  });
});

suite('backpressure', { timeout: 30_000 }, () => {
  test('a reader that does not read holds a fixed amount, and nobody else up', async () => {
    using p = pair();
    await p.connect();
    const [out] = await openBoth(p.a, p.b);
    let accepted = 0;
    while (accepted < 10_000_000 && out.write(noise(10_000))) accepted += 10_000;
    const [other, otherEnd] = await openBoth(p.a, p.b);
    const bytes = noise(2_000_000);
    other.end(bytes);
    assert.equal(hash(await readAll(otherEnd)), hash(bytes));
    assert.ok(accepted <= 400_000, `${accepted} bytes were taken`);
    assert.ok(p.b.stats().unreadBytes <= 65_536);
    assert.ok(out.writableNeedDrain);
  });

  test('without a path, writing stops at a bound', async () => {
    using p = pair();
    const [a, b] = await p.connect();
    const [out, incoming] = await openBoth(p.a, p.b);
    a.destroy();
    b.destroy();
    let accepted = 0;
    while (accepted < 10_000_000 && out.write(noise(10_000))) accepted += 10_000;
    assert.ok(accepted <= 210_000, `${accepted} bytes were taken`);
    await p.connect();
    out.end();
    assert.equal((await readAll(incoming)).length, accepted + 10_000);
  });

  test('a peer that does not confirm stops us at the bound', async () => {
    using p = pair({ limits: { unackedBytes: 300_000 } });
    await p.connect();
    p.b.onStream = (stream) => stream.resume();
    const out = p.a.openStream('x');
    const bytes = Buffer.alloc(3_000_000);
    out.end(bytes);
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, p.a.stats().unackedBytes)), 0);
    await once(out, 'finish');
    clearInterval(watch);
    assert.ok(most <= 300_000 + 65_536, `${most} bytes unconfirmed`);
  });
});

suite('leaks', { timeout: 30_000 }, () => {
  test('1000 streams opened and closed in every way leave nothing', async () => {
    using p = pair();
    await p.connect();
    p.b.onStream = (stream) => {
      stream.on('end', () => stream.end()).resume();
    };
    for (let i = 0; i < 1000; i++) {
      const stream = p.a.openStream({ i });
      stream.resume();
      if (i % 3 === 0) stream.end('x');
      else if (i % 3 === 1) stream.end();
      else stream.write('x', () => stream.reset());
      if (!stream.closed) await once(stream, 'close');
    }
    await p.a.ping();
    await p.b.ping();
    for (const session of [p.a, p.b]) {
      assert.equal(session.stats().streams, 0);
      assert.equal(session.stats().unreadBytes, 0);
      assert.ok(session.stats().bufferedBytes <= 2_000_000);
    }
  });

  test('sessions and paths opened and closed leave no timer, socket or listener', async () => {
    const before = process.getActiveResourcesInfo().length;
    let timers = 0;
    const clock = {
      now: () => performance.now(),
      schedule(delayMs: number, task: () => void) {
        timers++;
        let open = true;
        const done = (): void => {
          if (open) timers--;
          open = false;
        };
        const timer = setTimeout(() => {
          done();
          task();
        }, delayMs);
        return {
          [Symbol.dispose]() {
            clearTimeout(timer);
            done();
          },
        };
      },
    };
    for (let i = 0; i < 50; i++) {
      using p = pair({ clock });
      const ends = [...(await p.connect()), ...(await p.connect())];
      const [out, incoming] = await openBoth(p.a, p.b);
      out.write('x');
      await once(incoming, 'data');
      p.a.close();
      p.b.close();
      await Promise.all(ends.map(async (end) => end.closed || (await once(end, 'close'))));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [failing] = linkedPair();
    using p = pair({ clock });
    const attempt = p.a.attach({ duplex: failing, describe: describePath });
    failing.destroy();
    await assert.rejects(attempt);
    p.a.close();
    p.b.close();
    assert.equal(timers, 0);
    assert.ok(process.getActiveResourcesInfo().length <= before + 1);
  });
});
