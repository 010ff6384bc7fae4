import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { startRendezvous, type RendezvousOptions, type RendezvousServer } from '@awl/rendezvous';
import { RENDEZVOUS_ALPN } from '@awl/wire';
import { ControlPeer, TestClock, testIdentity } from './control-peer.ts';

const start = (options: RendezvousOptions = {}): Promise<RendezvousServer> =>
  startRendezvous({ host: '127.0.0.1', port: 0, altPort: 0, ...options });

/** A name of a peer that nobody has. */
const NOBODY = `${'a'.repeat(51)}q`;

describe('registration', () => {
  test('the welcome tells where we are seen and where STUN is', async () => {
    await using server = await start();
    using peer = await ControlPeer.connect(server);
    peer.hello({ later: 'a field of a newer peer' });
    const welcome = await peer.next('welcome');
    assert.deepEqual(welcome.observed, { address: '127.0.0.1', port: peer.socket.localPort });
    assert.deepEqual(welcome.stun.udp, [{ port: server.port }, { port: server.altPort }]);
    assert.deepEqual(welcome.stun.tcp, welcome.stun.udp);
    assert.equal(server.peersOnline, 1);
  });

  test('a second address is told too', { skip: process.platform !== 'linux' }, async () => {
    await using server = await start({ altAddress: '127.0.0.2' });
    using peer = await ControlPeer.connect(server);
    peer.hello();
    const { stun } = await peer.next('welcome');
    const { port, altPort } = server;
    assert.deepEqual(stun.udp, [
      { port },
      { port: altPort },
      { address: '127.0.0.2', port },
      { address: '127.0.0.2', port: altPort },
    ]);
  });

  test('peers find each other by name, whatever its case, and by id', async () => {
    await using server = await start();
    using home = await ControlPeer.register(server, { name: 'Home' });
    using other = await ControlPeer.register(server);
    for (const peer of ['Home', 'hOME', home.identity.peerId]) {
      other.say({ type: 'lookup', id: 1, peer });
      const found = (await other.next('found')).peer;
      assert.ok(found);
      const { seenAt, ...rest } = found;
      assert.equal(typeof seenAt, 'number');
      assert.deepEqual(rest, {
        peerId: home.identity.peerId,
        name: 'Home',
        online: true,
        spki: home.identity.spki.toString('base64url'),
        sealKey: home.identity.sealKey.toString('base64url'),
        sealSignature: home.identity.sealSignature.toString('base64url'),
        observedAddress: '127.0.0.1',
      });
    }
    for (const peer of ['nobody', NOBODY, '../../etc']) {
      other.say({ type: 'lookup', id: 2, peer });
      assert.deepEqual(await other.next('found'), { type: 'found', id: 2 });
    }
  });

  test('a name belongs to the key that took it, also while it is away, and lapses', async () => {
    const clock = new TestClock();
    await using server = await start({ clock });
    const owner = await ControlPeer.register(server, { name: 'home' });
    assert.equal((await refusal(server, { name: 'HOME' })).code, 'ERR_NAME_TAKEN');
    using watcher = await ControlPeer.register(server);
    watcher.say({ type: 'watch', id: 1 });
    assert.equal((await watcher.next('presence')).peers[0]?.online, true);
    owner[Symbol.dispose]();
    await waitFor(() => server.peersOnline === 1);
    watcher.say({ type: 'lookup', id: 2, peer: 'home' });
    const away = (await watcher.next('found')).peer;
    assert.equal(away?.online, false);
    assert.equal(away.observedAddress, undefined);
    const refused = await refusal(server, { name: 'home' });
    assert.equal(refused.code, 'ERR_NAME_TAKEN');
    // Its owner comes back with it.
    using again = await ControlPeer.register(server, { name: 'home', identity: owner.identity });
    again[Symbol.dispose]();
    await waitFor(() => server.peersOnline === 1);
    clock.advance(91 * 86_400_000);
    using heir = await ControlPeer.register(server, { name: 'home' });
    assert.ok(heir);
  });

  test('a key keeps a few names: with one more, its least used one is free', async () => {
    const clock = new TestClock();
    await using server = await start({ clock, limits: { namesPerKey: 2 } });
    const identity = testIdentity();
    for (const name of ['one', 'two', 'three']) {
      clock.advance(1000);
      using peer = await ControlPeer.register(server, { identity, name });
      peer[Symbol.dispose]();
      await waitFor(() => server.peersOnline === 0);
    }
    assert.equal((await refusal(server, { name: 'two' })).code, 'ERR_NAME_TAKEN');
    using heir = await ControlPeer.register(server, { name: 'one' });
    assert.ok(heir);
  });

  test('the same key from elsewhere takes the place of the former connection', async () => {
    await using server = await start();
    const first = await ControlPeer.register(server, { name: 'home' });
    const replaced = first.next('error');
    using second = await ControlPeer.register(server, { name: 'home', identity: first.identity });
    assert.equal((await replaced).code, 'ERR_RENDEZVOUS_LIMIT');
    await first.closed;
    second.say({ type: 'lookup', id: 1, peer: 'home' });
    assert.equal((await second.next('found')).peer?.online, true);
    assert.equal(server.peersOnline, 1);
  });

  const REFUSED: readonly (readonly [
    name: string,
    hello: Record<string, unknown>,
    code: string,
    reason: RegExp,
  ])[] = [
    ['another version', { version: 2 }, 'ERR_WIRE_VERSION', /version 1, the other version 2/],
    [
      'a key that is not the certificate’s',
      { spki: testIdentity().spki.toString('base64url') },
      'ERR_TLS_PEER',
      /not that of the client/,
    ],
    ['a bad name', { name: 'a b' }, 'ERR_NAME_INVALID', /letters/],
    ['a peer id as name', { name: NOBODY }, 'ERR_NAME_INVALID', /letters/],
    ['a missing field', { sealKey: undefined }, 'ERR_WIRE_SCHEMA', /sealKey/],
    ['another first message', { type: 'ping', id: 1 }, 'ERR_WIRE_SCHEMA', /must be a hello/],
  ];
  for (const [name, hello, code, reason] of REFUSED)
    test(`refused: ${name}`, async () => {
      await using server = await start();
      const error = await refusal(server, hello);
      assert.equal(error.code, code);
      assert.match(error.reason, reason);
      assert.equal(server.peersOnline, 0);
    });

  test('an access key is proved, never sent; without or with a wrong one nothing is said', async () => {
    await using server = await start({ key: 'correct horse' });
    using peer = await ControlPeer.register(server, { accessKey: 'correct horse' });
    assert.ok(peer);
    for (const hello of [{}, { accessKey: 'wrong' }, { access: 'A'.repeat(43) }])
      assert.equal((await refusal(server, hello)).code, 'ERR_RENDEZVOUS_ACCESS');
    // A proof overheard on another connection.
    using eavesdropper = await ControlPeer.connect(server);
    eavesdropper.hello({ accessKey: 'correct horse' });
    await eavesdropper.next('welcome');
  });
});

describe('TLS', () => {
  const identity = testIdentity();
  for (const [name, options] of [
    ['no client certificate', { key: undefined, cert: undefined }],
    ['no ALPN', { ALPNProtocols: undefined }],
    ['another ALPN', { ALPNProtocols: ['http/1.1'] }],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ] as const)
    test(`refused: ${name}`, async () => {
      await using server = await start();
      const socket = connectTls({
        host: '127.0.0.1',
        port: server.port,
        key: identity.keyPem,
        cert: identity.certificatePem,
        ALPNProtocols: [RENDEZVOUS_ALPN],
        rejectUnauthorized: false,
        ...(options as object),
      });
      socket.on('error', () => undefined);
      socket.resume();
      await closeOf(socket);
      using peer = await ControlPeer.register(server);
      assert.ok(peer);
    });

  test('no session is resumed', async () => {
    await using server = await start();
    using peer = await ControlPeer.connect(server);
    let tickets = 0;
    peer.socket.on('session', () => tickets++);
    peer.hello();
    await peer.next('welcome');
    const again = await ControlPeer.connect(server, peer.identity, { session: peer.socket.getSession() });
    assert.equal(again.socket.isSessionReused(), false);
    again[Symbol.dispose]();
  });
});

describe('signalling', () => {
  test('a sealed message reaches the peer with the sender’s record', async () => {
    await using server = await start();
    using a = await ControlPeer.register(server, { name: 'a' });
    using b = await ControlPeer.register(server, { name: 'b' });
    a.say({ type: 'signal', id: 5, to: b.identity.peerId, sealed: 'c2VhbGVk' });
    assert.deepEqual(await a.next('done'), { type: 'done', id: 5 });
    const { from, sealed } = await b.next('signal');
    assert.equal(sealed, 'c2VhbGVk');
    assert.equal(from.peerId, a.identity.peerId);
    assert.equal(from.name, 'a');
    assert.equal(from.observedAddress, '127.0.0.1');
    a.say({ type: 'signal', id: 6, to: NOBODY, sealed: 'c2VhbGVk' });
    const error = await a.next('error');
    assert.equal(error.code, 'ERR_PEER_OFFLINE');
    assert.equal(error.id, 6);
  });

  test('watchers see who comes and goes, without addresses; who has no name is not listed', async () => {
    await using server = await start();
    using early = await ControlPeer.register(server, { name: 'early' });
    using watcher = await ControlPeer.register(server);
    watcher.say({ type: 'watch', id: 1 });
    const list = (await watcher.next('presence')).peers;
    assert.deepEqual(
      list.map(({ name, online }) => [name, online]),
      [['early', true]],
    );
    assert.equal(list[0]?.observedAddress, undefined);
    const late = await ControlPeer.register(server, { name: 'late' });
    assert.deepEqual(
      (await watcher.next('presence')).peers.map(({ name, online }) => [name, online]),
      [['late', true]],
    );
    late[Symbol.dispose]();
    assert.deepEqual(
      (await watcher.next('presence')).peers.map(({ name, online }) => [name, online]),
      [['late', false]],
    );
    assert.ok(early);
  });

  test('what waits for a peer that does not read is bounded; its sender is told, and others are served', async () => {
    await using server = await start({ limits: { messagesPerSecond: 1e6, messagesBurst: 1e6 } });
    using slow = await ControlPeer.register(server);
    using sender = await ControlPeer.register(server);
    slow.socket.pause();
    const sealed = 'x'.repeat(48 * 1024);
    let refusedAfter = 0;
    for (let id = 0; refusedAfter === 0; id++) {
      assert.ok(id < 1000, 'the queue has no end');
      sender.say({ type: 'signal', id, to: slow.identity.peerId, sealed });
      try {
        await sender.next('done');
      } catch (error) {
        assert.match((error as Error).message, /ERR_RENDEZVOUS_LIMIT/);
        refusedAfter = id;
      }
    }
    sender.say({ type: 'ping', id: 1 });
    await sender.next('pong');
    slow.socket.resume();
    for (let seen = 0; seen < refusedAfter; seen++) await slow.next('signal');
  });
});

describe('limits', () => {
  test('a peer that asks and does not read is not answered for ever', async () => {
    const clock = new TestClock();
    const limits = { messagesPerSecond: 1e9, messagesBurst: 1e9, lifetimeMs: 3_600_000, stalledMs: 30_000 };
    await using server = await start({ clock, limits });
    using peer = await ControlPeer.register(server, { name: 'home' });
    peer.socket.pause();
    while (server.peersOnline > 0) {
      for (let id = 0; id < 500 && peer.socket.writable; id++) peer.say({ type: 'lookup', id, peer: 'home' });
      await new Promise(setImmediate);
      clock.advance(30_000);
    }
    peer.socket.resume();
    await peer.closed;
  });

  test('too many messages: a code and a time, then the end', async () => {
    const clock = new TestClock();
    await using server = await start({ clock, limits: { messagesPerSecond: 10, messagesBurst: 5 } });
    using peer = await ControlPeer.register(server);
    for (let id = 0; id < 6; id++) peer.say({ type: 'ping', id });
    const error = await peer.next('error');
    assert.equal(error.code, 'ERR_RENDEZVOUS_LIMIT');
    assert.equal(error.id, 5);
    assert.equal(error.retryAfterMs, 100);
    clock.advance(100);
    peer.say({ type: 'ping', id: 6 });
    assert.equal((await peer.next('pong')).id, 6);
    for (let id = 0; id < 200; id++) peer.say({ type: 'ping', id });
    await peer.closed;
  });

  test('peers per address', async () => {
    await using server = await start({ limits: { peersPerAddress: 1 } });
    using peer = await ControlPeer.register(server);
    assert.ok(peer);
    const error = await refusal(server, {});
    assert.equal(error.code, 'ERR_RENDEZVOUS_LIMIT');
    assert.ok(error.retryAfterMs! > 0);
  });

  test('new names per address', async () => {
    await using server = await start({ clock: new TestClock(), limits: { namesPerHour: 2 } });
    for (const name of ['one', 'two']) (await ControlPeer.register(server, { name }))[Symbol.dispose]();
    const error = await refusal(server, { name: 'three' });
    assert.equal(error.code, 'ERR_RENDEZVOUS_LIMIT');
    assert.ok(Math.abs(error.retryAfterMs! - 1_800_000) < 10);
  });

  test('connections that say nothing: so many, then no more; they are closed in time and make room', async () => {
    const clock = new TestClock();
    await using server = await start({ clock, limits: { pendingPerAddress: 3, helloTimeoutMs: 10_000 } });
    const silent = await Promise.all(
      [0, 1].map(async () => {
        const socket = connectTcp(server.port, '127.0.0.1');
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        return socket;
      }),
    );
    const handshaken = await ControlPeer.connect(server);
    const refused = connectTcp(server.port, '127.0.0.1');
    refused.on('error', () => undefined);
    refused.resume();
    await closeOf(refused);
    clock.advance(10_000);
    await Promise.all([...silent.map((socket) => closeOf(socket.resume())), handshaken.closed]);
    using peer = await ControlPeer.register(server);
    assert.ok(peer);
  });

  test('a registered peer takes no place of those', async () => {
    await using server = await start({ limits: { pendingPerAddress: 1 } });
    using first = await ControlPeer.register(server);
    using second = await ControlPeer.register(server);
    assert.ok(first && second);
  });

  test('a peer that falls silent is taken offline', async () => {
    const clock = new TestClock();
    await using server = await start({ clock });
    using peer = await ControlPeer.register(server);
    clock.advance(60_000);
    peer.say({ type: 'ping', id: 1 });
    await peer.next('pong');
    clock.advance(60_000);
    assert.equal(server.peersOnline, 1);
    clock.advance(30_000);
    await peer.closed;
    await waitFor(() => server.peersOnline === 0);
  });
});

describe('hostile frames', () => {
  for (const [name, bytes] of [
    ['a length of 4 GiB', Buffer.from('ffffffff00', 'hex')],
    ['no JSON', Buffer.from('0000000468656c6c', 'hex')],
    [
      '20 000 levels',
      Buffer.concat([Buffer.from('00009c40', 'hex'), Buffer.from('['.repeat(20_000) + ']'.repeat(20_000))]),
    ],
    ['an unknown type', Buffer.from('\0\0\0\u000e{"type":"sudo"')],
    ['nothing at all', Buffer.alloc(4)],
  ] as const)
    for (const registered of [false, true])
      test(`${name}, ${registered ? 'after' : 'instead of'} the hello: a coded error, and the server lives on`, async () => {
        await using server = await start();
        using peer = registered ? await ControlPeer.register(server) : await ControlPeer.connect(server);
        peer.socket.write(bytes);
        assert.match((await peer.next('error')).code, /^ERR_WIRE_/);
        await peer.closed;
        using another = await ControlPeer.register(server);
        assert.ok(another);
      });
});

test('a graceful stop tells the peers when to come back', async () => {
  const server = await start();
  using peer = await ControlPeer.register(server);
  const stopped = server.stop();
  assert.ok((await peer.next('stopping')).retryAfterMs > 0);
  await peer.closed;
  await stopped;
  const refused = connectTcp(server.port, '127.0.0.1');
  await assert.rejects(once(refused, 'connect'), { code: 'ECONNREFUSED' });
});

/** The error that a hello is answered with. */
async function refusal(server: RendezvousServer, hello: Record<string, unknown>) {
  using peer = await ControlPeer.connect(server);
  peer.hello(hello);
  const error = await peer.next('error');
  await peer.closed;
  return error;
}

/** Also where it ends with an error. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}
