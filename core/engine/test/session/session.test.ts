import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test } from 'node:test';
import type { JsonValue } from '@awl/api';
import type { SessionStream } from '../../src/session/stream.ts';
import { failure, hash, nextStream, noise, openBoth, pair, readAll } from './support.ts';

suite('session', { timeout: 30_000 }, () => {
  test('carries streams opened by either side, with their headers', async () => {
    using p = pair();
    const selected: string[] = [];
    p.a.onPathSelected = (path) => selected.push(`a ${path.transport}`);
    p.b.onPathSelected = (path) => selected.push(`b ${path.transport}`);
    await p.connect();
    assert.deepEqual(selected.sort(), ['a memory', 'b memory']);
    for (const [from, to] of [
      [p.a, p.b],
      [p.b, p.a],
    ] as const) {
      const incoming = new Promise<[SessionStream, JsonValue]>((resolve) => {
        to.onStream = (stream, header) => resolve([stream, header]);
      });
      const out = from.openStream({ forward: 'web', port: 80 });
      out.end('hello');
      const [stream, header] = await incoming;
      assert.deepEqual(header, { forward: 'web', port: 80 });
      assert.equal((await readAll(stream)).toString(), 'hello');
      stream.end('bye');
      assert.equal((await readAll(out)).toString(), 'bye');
    }
  });

  test('each half ends by itself', async () => {
    using p = pair();
    await p.connect();
    const [out, incoming] = await openBoth(p.a, p.b);
    out.end('question');
    assert.equal((await readAll(incoming)).toString(), 'question');
    const answer = noise(300_000);
    incoming.write(answer);
    incoming.end();
    assert.equal(hash(await readAll(out)), hash(answer));
    await Promise.all([out, incoming].map(async (stream) => stream.closed || (await once(stream, 'close'))));
    assert.equal(p.a.stats().streams, 0);
    assert.equal(p.b.stats().streams, 0);
  });

  test('many streams at once, both directions, in full', async () => {
    using p = pair();
    await p.connect();
    p.b.onStream = (stream) => void stream.pipe(stream);
    await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const bytes = noise(1 + n * 3001);
        const stream = p.a.openStream(n);
        stream.end(bytes);
        assert.equal(hash(await readAll(stream)), hash(bytes));
      }),
    );
  });

  test('a stream opened before there is a path begins with the path', async () => {
    using p = pair();
    const incoming = nextStream(p.b);
    p.a.openStream('early').end('x');
    await p.connect();
    assert.equal((await readAll(await incoming)).toString(), 'x');
  });

  test('reset ends both directions and gives the code', async () => {
    using p = pair();
    await p.connect();
    const [out, incoming] = await openBoth(p.a, p.b);
    out.write(noise(100_000));
    const failed = failure(incoming);
    out.reset('ERR_SESSION_CLOSED');
    assert.equal(await failed, 'ERR_SESSION_CLOSED');
    const [second] = await openBoth(p.b, p.a);
    const refused = failure(second);
    p.a.close();
    assert.equal(await refused, 'ERR_SESSION_CLOSED');
  });

  test('close tells the peer and ends streams; what came whole stays readable', async () => {
    using p = pair();
    await p.connect();
    const closed = new Promise<string>((resolve) => {
      p.b.onClosed = resolve;
    });
    const [out, incoming] = await openBoth(p.a, p.b);
    incoming.end();
    await readAll(out);
    out.end('last words');
    await once(out, 'close');
    p.a.close('ERR_SESSION_CLOSED');
    assert.equal(await closed, 'ERR_SESSION_CLOSED');
    assert.equal((await readAll(incoming)).toString(), 'last words');
    assert.equal(await failure(p.b.openStream(null)), 'ERR_SESSION_CLOSED');
    await assert.rejects(p.connect(), { code: 'ERR_SESSION_CLOSED' });
  });

  test('a ping takes a round trip; without a path it fails', async () => {
    using p = pair();
    await assert.rejects(p.a.ping(), { code: 'ERR_PATH_LOST' });
    await p.connect();
    assert.ok((await p.a.ping()) >= 0);
    assert.ok((await p.b.ping()) >= 0);
    assert.ok(p.a.stats().rttMs !== undefined);
  });
});
