import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Clock } from '@awl/api';
import {
  createIdentity,
  decodePair1,
  decodePair2,
  decodePair3,
  decodePair4,
  generatePassword,
  normalizePassword,
  PairingClient,
  PairingServer,
  PairingWorker,
  PasswordLimiter,
  RateLimitedError,
  registerPassword,
  type PasswordRecord,
} from '@awl/engine';

/** A clock that stands still until a test moves it. */
class StillClock implements Clock {
  time = 0;
  tasks = new Set<() => void>();
  now = (): number => this.time;
  schedule = (_delayMs: number, task: () => void): Disposable => {
    this.tasks.add(task);
    return { [Symbol.dispose]: () => void this.tasks.delete(task) };
  };
}

const clock = new StillClock();
const worker = new PairingWorker(clock);
const serverId = createIdentity().peerId;
const clientId = createIdentity().peerId;
const otherId = createIdentity().peerId;
const PASSWORD = generatePassword({ bytes: randomBytes });
const attemptId = randomBytes(16).toString('base64url');
let record: PasswordRecord;

before(async () => {
  record = await registerPassword(worker, { password: PASSWORD, peerId: serverId });
});
after(() => worker[Symbol.dispose]());

function newServer(password: () => PasswordRecord | undefined = () => record): PairingServer {
  return new PairingServer({
    worker,
    clock,
    peerId: serverId,
    limiter: new PasswordLimiter(clock),
    password,
  });
}

test('the right password: both sides are sure, and hold the same proof', async () => {
  const server = newServer();
  const client = new PairingClient(worker, { attemptId, serverId, clientId });
  const from = { peerId: clientId, known: false, attemptId };
  // Through JSON and the schemas, as over the wire.
  const wire = (body: object): never => JSON.parse(JSON.stringify(body)) as never;
  const first = decodePair1(wire(await client.start(` ${PASSWORD}\n`)));
  const second = decodePair2(wire(await server.start(from, first)));
  const third = decodePair3(wire(await client.finish(second)));
  const { body, proof } = await server.finish(from, third);
  assert.equal(client.confirm(decodePair4(wire(body))).proof, proof);
  await assert.rejects(server.finish(from, third), { code: 'ERR_AUTH_PASSWORD' }, 'a second time');
});

test('whoever is not the two, or does not know the password, is refused', async () => {
  const server = newServer();
  const start = async (binding: { serverId: string; clientId: string }, password = PASSWORD) => {
    const client = new PairingClient(worker, { attemptId, ...binding });
    return { client, first: await client.start(password) };
  };
  const from = { peerId: clientId, known: true, attemptId };

  const wrong = await start({ serverId, clientId }, 'lusab-babad-gutih-tugad');
  await assert.rejects(wrong.client.finish(await server.start(from, wrong.first)), {
    code: 'ERR_AUTH_PASSWORD',
  });

  // Someone in the middle shows the dialer his own id and relays to the real sharer.
  const relayed = await start({ serverId: otherId, clientId });
  await assert.rejects(
    relayed.client.finish(await server.start({ ...from, peerId: otherId }, relayed.first)),
    {
      code: 'ERR_AUTH_PASSWORD',
    },
  );

  // Someone relays the dialer's messages as his own: the dialer's confirmation names another client.
  const stolen = await start({ serverId, clientId });
  const third = await stolen.client.finish(await server.start({ ...from, peerId: otherId }, stolen.first));
  await assert.rejects(server.finish({ peerId: otherId, attemptId }, third), { code: 'ERR_AUTH_PASSWORD' });

  // The same messages in another attempt.
  const moved = await start({ serverId, clientId });
  const otherAttempt = randomBytes(16).toString('base64url');
  const movedThird = await moved.client.finish(
    await server.start({ ...from, attemptId: otherAttempt }, moved.first),
  );
  await assert.rejects(server.finish({ peerId: clientId, attemptId: otherAttempt }, movedThird), {
    code: 'ERR_AUTH_PASSWORD',
  });

  // A server that does not know the password cannot confirm.
  const fooled = await start({ serverId, clientId });
  await fooled.client.finish(await server.start(from, fooled.first));
  assert.throws(() => fooled.client.confirm({ outcome: 'accepted', confirmation: 'A'.repeat(43) }), {
    code: 'ERR_AUTH_PASSWORD',
  });
  const early = await start({ serverId, clientId });
  assert.throws(() => early.client.confirm({ outcome: 'accepted', confirmation: 'A'.repeat(43) }), {
    code: 'ERR_AUTH_PASSWORD',
  });
});

test('messages that cannot be read, refusals, no password, too late', async () => {
  const server = newServer();
  const from = { peerId: clientId, known: true, attemptId };
  await assert.rejects(server.start(from, { request: 'AAAA' }), { code: 'ERR_WIRE_MALFORMED' });
  await assert.rejects(newServer(() => undefined).start(from, { request: 'AAAA' }), {
    code: 'ERR_AUTH_REFUSED',
  });
  const client = new PairingClient(worker, { attemptId, serverId, clientId });
  const first = await client.start(PASSWORD);
  await assert.rejects(client.finish({ outcome: 'refused', code: 'ERR_AUTH_RATE_LIMITED', reason: 'wait' }), {
    code: 'ERR_AUTH_RATE_LIMITED',
    message: 'wait',
  });
  await assert.rejects(client.finish({ outcome: 'accepted', response: 'AAAA' }), {
    code: 'ERR_AUTH_PASSWORD',
  });
  await server.start(from, first);
  await assert.rejects(server.finish(from, { finish: 'AAAA', confirmation: 'A'.repeat(43) }), {
    code: 'ERR_AUTH_PASSWORD',
  });
  const third = await client.finish(await server.start(from, first));
  clock.time += 60_000;
  await assert.rejects(server.finish(from, third), { code: 'ERR_AUTH_PASSWORD' });
});

test('every start counts, per peer and for all unknown peers together', async () => {
  const limiter = new PasswordLimiter(clock);
  const tries = (peer: string, known: boolean): number => {
    for (let count = 0; ; count++) {
      try {
        limiter.count(peer, known);
      } catch (error) {
        assert.ok(
          error instanceof RateLimitedError && error.retryAfterMs > 0 && error.retryAfterMs <= 60_000,
        );
        return count;
      }
    }
  };
  assert.equal(tries('a', false), 5);
  assert.equal(tries('b', false) + tries('c', false) + tries('d', false), 15);
  assert.equal(tries('e', false), 0, 'the allowance of unknown peers is spent');
  assert.equal(tries('f', true), 5, 'a known peer has its own');
  clock.time += 60_000;
  assert.equal(tries('a', false), 1, 'one grew back');
  assert.equal(tries('g', false), 1, 'and one more for all the others');
  for (let peer = 0; peer < 2000; peer++) limiter.count(`known-${peer}`, true);
  assert.equal(limiter.size, 1024);

  const server = newServer();
  for (let count = 0; count < 5; count++) {
    await assert.rejects(server.start({ peerId: clientId, known: false, attemptId }, { request: 'AAAA' }), {
      code: 'ERR_WIRE_MALFORMED',
    });
  }
  await assert.rejects(server.start({ peerId: clientId, known: false, attemptId }, { request: 'AAAA' }), {
    code: 'ERR_AUTH_RATE_LIMITED',
  });
});

test('the worker ends when idle and starts again, obeys signals, bounds its queue, and rejects what waits when closed', async () => {
  const clock = new StillClock();
  const worker = new PairingWorker(clock);
  const start = (signal?: AbortSignal) => worker.run('clientStart', { password: 'x' }, signal);
  assert.equal(worker.running, false);
  await start();
  assert.equal(worker.running, true);
  for (const task of clock.tasks) task();
  assert.equal(worker.running, false);
  await start();

  const controller = new AbortController();
  const aborted = start(controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  await assert.rejects(start(controller.signal), /enough/);

  const waiting = Array.from({ length: 40 }, () =>
    start().then(
      () => 'done',
      (error: { code: string }) => error.code,
    ),
  );
  worker[Symbol.dispose]();
  const codes = await Promise.all(waiting);
  assert.deepEqual(codes, [
    ...Array.from({ length: 32 }, () => 'ERR_SESSION_CLOSED'),
    ...Array.from({ length: 8 }, () => 'ERR_AUTH_RATE_LIMITED'),
  ]);
  await assert.rejects(start(), { code: 'ERR_SESSION_CLOSED' });
  assert.equal(clock.tasks.size, 0);
  assert.equal(worker.running, false);
});

test('passwords', () => {
  assert.match(
    generatePassword({ bytes: randomBytes }),
    /^([bdfghjklmnprstvz][aiou][bdfghjklmnprstvz][aiou][bdfghjklmnprstvz]-?){4}$/,
  );
  // The proquint of 127.0.0.1 is lusab-babad.
  assert.equal(
    generatePassword({ bytes: () => Buffer.from('7f0000017f000001', 'hex') }),
    'lusab-babad-lusab-babad',
  );
  assert.equal(normalizePassword(' cafe\u0301\r\n'), 'caf\u00e9');
});
