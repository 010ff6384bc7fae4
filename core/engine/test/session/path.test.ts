import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import { VirtualClock } from '@awl/testkit';
import { createSession } from '../../src/session/session.ts';
import { cutPair } from './cutter.ts';
import {
  alice,
  bob,
  describePath,
  failure,
  hash,
  linkedPair,
  mallory,
  noise,
  openBoth,
  pair,
  readAll,
  realClock,
  transcript,
} from './support.ts';

suite('paths of a session', { timeout: 30_000 }, () => {
  test('a path is prepared while another is live, then takes over in mid-stream', async () => {
    using p = pair();
    const first = await p.connect();
    const [out, incoming] = await openBoth(p.a, p.b);
    const bytes = noise(8_000_000);
    const arrived = readAll(incoming);
    const echoed = readAll(out);
    incoming.write(bytes);
    incoming.end();
    out.write(bytes.subarray(0, 4_000_000));
    const lost: string[] = [];
    for (const session of [p.a, p.b]) session.onPathLost = (code) => lost.push(code);

    const [a, b] = linkedPair();
    const [held] = await Promise.all([
      p.a.attach({ duplex: a, describe: { ...describePath, transport: 'second' }, hold: true }),
      p.b.attach({ duplex: b, describe: { ...describePath, transport: 'second' } }),
    ]);
    assert.equal(p.a.path?.transport, 'memory');
    assert.equal(p.b.path?.transport, 'memory');
    const selected = [p.a, p.b].map(
      (session) => new Promise((resolve) => (session.onPathSelected = resolve)),
    );
    held.select();
    const paths = await Promise.all(selected);
    assert.deepEqual(
      paths.map((path) => (path as typeof describePath).transport),
      ['second', 'second'],
    );
    await Promise.all(first.map(async (end) => end.closed || (await once(end, 'close'))));
    out.end(bytes.subarray(4_000_000));
    assert.equal(hash(await arrived), hash(bytes));
    assert.equal(hash(await echoed), hash(bytes));
    assert.deepEqual(lost, []);
  });

  test('100 switches in mid-stream lose and repeat nothing', async () => {
    using p = pair();
    await p.connect();
    p.b.onStream = (stream) => void stream.pipe(stream);
    const stream = p.a.openStream('echo');
    const bytes = noise(6_000_000);
    const echo = readAll(stream);
    let at = 0;
    for (let i = 0; i < 100; i++) {
      stream.write(bytes.subarray(at, (at += 60_000)));
      await p.connect();
    }
    stream.end();
    assert.equal(hash(await echo), hash(bytes));
    assert.equal(p.a.stats().epoch, 101);
  });

  test('first paths that race leave one session', async () => {
    using p = pair();
    await Promise.all([p.connect(), p.connect(), p.connect()].map((attempt) => attempt.catch(() => {})));
    const [out, incoming] = await openBoth(p.a, p.b);
    out.end('x');
    assert.equal((await readAll(incoming)).toString(), 'x');
  });

  test('a session whose peer has another key, or other signalling, gets no path', async () => {
    using p = pair();
    const impostor = createSession({
      role: 'controlled',
      identity: mallory,
      peer: alice,
      transcript,
      clock: realClock,
    });
    const tampered = createSession({
      role: 'controlled',
      identity: bob,
      peer: alice,
      transcript: noise(32),
      clock: realClock,
    });
    for (const [other, code] of [
      [impostor, /ERR_TLS_PEER/],
      [tampered, /ERR_SESSION_PROTOCOL|ERR_PATH_LOST/],
    ] as const) {
      const [a, b] = linkedPair();
      const results = await Promise.allSettled([
        p.a.attach({ duplex: a, describe: describePath }),
        other.attach({ duplex: b, describe: describePath }),
      ]);
      assert.match(results[0].status === 'rejected' ? results[0].reason.code : '', code);
      other.close();
    }
  });

  test('a path that swallows data is lost after 5 s; the session and its streams are not', async () => {
    const clock = new VirtualClock();
    using p = pair({ clock });
    const [a] = await p.connect();
    const [out, incoming] = await openBoth(p.a, p.b);
    const lost: string[] = [];
    for (const session of [p.a, p.b]) session.onPathLost = (code, reason) => lost.push(`${code} ${reason}`);
    await clock.run({ untilMs: 4000 });
    assert.deepEqual(lost, []);
    // From now on what is written goes nowhere.
    a._write = () => {};
    a.write = () => true;
    out.write('lost at first');
    await clock.run({ untilMs: 8000 });
    assert.deepEqual(lost, []);
    await clock.run({ untilMs: 11_000 });
    assert.match(lost[0] ?? '', /ERR_PATH_LOST no progress for 5 s/);
    assert.equal(p.a.closed, undefined);
    await p.connect();
    out.end();
    assert.equal((await readAll(incoming)).toString(), 'lost at first');
  });

  test('a forged TLS record ends the path and not the session', async () => {
    using p = pair();
    for (const victim of [0, 1]) {
      const ends = await p.connect();
      const [out, incoming] = await openBoth(p.a, p.b);
      const lost = Promise.all(
        [p.a, p.b].map((session) => new Promise<string>((resolve) => (session.onPathLost = resolve))),
      );
      ends[1 - victim]!.write(Buffer.concat([Buffer.from('1703030100', 'hex'), noise(256)]));
      assert.deepEqual(await lost, ['ERR_PATH_LOST', 'ERR_PATH_LOST']);
      out.end('written in between');
      await p.connect();
      assert.equal((await readAll(incoming)).toString(), 'written in between');
    }
    assert.equal(p.a.closed, undefined);
  });

  test('an idle path is pinged, and lost when it does not answer', async () => {
    const clock = new VirtualClock();
    using p = pair({ clock });
    const [a, b] = await p.connect();
    await clock.run({ untilMs: 120_000 });
    assert.equal(p.a.path?.transport, 'memory');
    for (const end of [a, b]) end.write = () => true;
    const lost = new Promise<string>((resolve) => (p.a.onPathLost = resolve));
    await clock.run({ untilMs: 145_000 });
    assert.equal(await lost, 'ERR_PATH_LOST');
  });

  test('a slow reader is no stall', async () => {
    const clock = new VirtualClock();
    using p = pair({ clock });
    await p.connect();
    const [out] = await openBoth(p.a, p.b);
    out.write(noise(500_000));
    await clock.run({ untilMs: 60_000 });
    assert.equal(p.a.path?.transport, 'memory');
    assert.equal(p.a.stats().unackedBytes, 0);
  });

  test('without a path for 2 min the session is lost', async () => {
    const clock = new VirtualClock();
    using p = pair({ clock });
    const [a, b] = await p.connect();
    const [out, incoming] = await openBoth(p.a, p.b);
    const codes = Promise.all([failure(out), failure(incoming)]);
    const lost = Promise.all(
      [p.a, p.b].map((session) => new Promise((resolve) => (session.onPathLost = resolve))),
    );
    a.destroy();
    b.destroy();
    await lost;
    await clock.run({ untilMs: 119_000 });
    assert.equal(p.a.closed, undefined);
    await clock.run({ untilMs: 122_000 });
    assert.equal(p.a.closed, 'ERR_SESSION_LOST');
    assert.deepEqual(await codes, ['ERR_SESSION_LOST', 'ERR_SESSION_LOST']);
  });

  test('a handshake that stands still ends in time, and so does one that is aborted', async () => {
    const clock = new VirtualClock();
    using p = pair({ clock });
    const attempt = p.a.attach({ duplex: linkedPair()[0], describe: describePath });
    attempt.catch(() => {});
    await clock.run({ untilMs: 10_001 });
    await assert.rejects(attempt, { code: 'ERR_PATH_LOST' });
    const stop = new AbortController();
    const second = p.b.attach({ duplex: linkedPair()[0], describe: describePath }, stop.signal);
    stop.abort(new Error('enough'));
    await assert.rejects(second, /enough/);
  });

  test('more paths at once than may be prepared are refused', async () => {
    using p = pair({ limits: { preparedPaths: 2 } });
    const waiting = [1, 2].map(() => p.b.attach({ duplex: linkedPair()[0], describe: describePath }));
    for (const attempt of waiting) attempt.catch(() => {});
    const [extra] = linkedPair();
    await assert.rejects(p.b.attach({ duplex: extra, describe: describePath }), {
      code: 'ERR_SESSION_RESUME',
    });
    assert.ok(extra.destroyed);
  });

  test('old keys ask for another path', async () => {
    const clock = new VirtualClock();
    using p = pair({ clock, limits: { rekeyBytes: 100_000, rekeyMs: 60_000 } });
    await p.connect();
    assert.equal(p.a.needsRekey, false);
    await clock.run({ untilMs: 61_000 });
    assert.equal(p.a.needsRekey, true);
    await p.connect();
    assert.equal(p.a.needsRekey, false);
    const [out, incoming] = await openBoth(p.a, p.b);
    out.end(noise(150_000));
    await readAll(incoming);
    assert.equal(p.a.needsRekey, true);
  });

  test('a cut exactly at each byte of the first exchange leaves a session that can go on', async () => {
    for (let afterBytes = 1; afterBytes < 6000; afterBytes += 97) {
      using p = pair();
      const [a, b] = cutPair(afterBytes, afterBytes % 2 === 0);
      const incoming = new Promise<string>((resolve) => {
        p.b.onStream = (stream) => void readAll(stream).then((bytes) => resolve(bytes.toString()));
      });
      p.a.openStream('x').end('through');
      await Promise.allSettled([
        p.a.attach({ duplex: a, describe: describePath }),
        p.b.attach({ duplex: b, describe: describePath }),
      ]);
      a.destroy();
      b.destroy();
      await p.connect();
      assert.equal(await incoming, 'through', `cut after ${afterBytes}`);
    }
  });
});
