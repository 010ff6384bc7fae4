import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RendezvousClient, type PeerRecord, type RendezvousClientOptions } from '@awl/engine';
import { startRendezvous, type RendezvousOptions, type RendezvousServer } from '@awl/rendezvous';
import { encodeFrame } from '@awl/wire';
import { TestClock, testIdentity, type TestIdentity } from './control-peer.ts';

const start = (options: RendezvousOptions = {}): Promise<RendezvousServer> =>
  startRendezvous({ host: '127.0.0.1', port: 0, altPort: 0, ...options });

interface Status {
  readonly status: 'connecting' | 'connected' | 'lost';
  readonly rttMs?: number;
  readonly code?: string;
  readonly reason?: string;
}

/** A client whose events can be waited for. */
class TestClient implements AsyncDisposable {
  readonly identity: TestIdentity;
  readonly clock = new TestClock();
  readonly client: RendezvousClient;
  readonly statuses: Status[] = [];
  /** What whoever hears of the connection sees at once. */
  stunWhenConnected: RendezvousClient['stun'] | undefined;
  readonly presence: PeerRecord[] = [];
  readonly signals: { readonly from: PeerRecord; readonly sealed: string }[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(
    url: string,
    options: Partial<RendezvousClientOptions> & { readonly identity?: TestIdentity } = {},
  ) {
    this.identity = options.identity ?? testIdentity();
    this.client = new RendezvousClient({
      url,
      clock: this.clock,
      random: { next: () => 0.5, integer: () => 0, bytes: (length) => Buffer.alloc(length) },
      ...options,
      identity: this.identity,
    });
    this.client.onStatus = (status, detail) => {
      if (status === 'connected') this.stunWhenConnected = this.client.stun;
      this.#note(() => this.statuses.push({ status, ...detail }));
    };
    this.client.onPresence = (record) => this.#note(() => this.presence.push(record));
    this.client.onSignal = (from, sealed) => this.#note(() => this.signals.push({ from, sealed }));
  }

  /** Waits until something is so. */
  async until<T>(look: () => T | undefined | false): Promise<T> {
    for (;;) {
      const seen = look();
      if (seen !== undefined && seen !== false) return seen;
      this.#wake = Promise.withResolvers<void>();
      await this.#wake.promise;
    }
  }

  status(status: Status['status'], count = 1): Promise<Status> {
    return this.until(() => this.statuses.filter((entry) => entry.status === status)[count - 1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }

  #note(take: () => void): void {
    take();
    this.#wake.resolve();
  }
}

const withoutPin = (url: string): string => url.slice(0, url.indexOf('#'));

test('two peers: lookup, presence, a sealed message, STUN endpoints, round trip time', async () => {
  await using server = await start();
  await using a = new TestClient(server.url, { name: 'a' });
  await using b = new TestClient(server.url, { name: 'b' });
  await a.client.open();
  await b.client.open();
  assert.deepEqual(a.statuses[0], { status: 'connecting' });
  assert.equal(typeof (await a.status('connected')).rttMs, 'number');
  assert.equal(a.stunWhenConnected?.udp.length, 2);
  const found = await a.client.lookup('b');
  assert.equal(found?.peerId, b.identity.peerId);
  assert.equal(found.observedAddress, '127.0.0.1');
  assert.equal(found.spki, b.identity.spki.toString('base64url'));
  assert.equal(await a.client.lookup('nobody'), undefined);
  await a.client.send(b.identity.peerId, 'c2VhbGVk');
  const { from, sealed } = await b.until(() => b.signals[0]);
  assert.equal(from.peerId, a.identity.peerId);
  assert.equal(sealed, 'c2VhbGVk');
  await a.until(() => a.presence.find(({ name, online }) => name === 'b' && online));
  const expected = [
    { address: '127.0.0.1', port: server.port },
    { address: '127.0.0.1', port: server.altPort },
  ];
  assert.deepEqual(a.client.stun, { udp: expected, tcp: expected });
  assert.equal(a.client.observed?.address, '127.0.0.1');
  await b.client.close();
  await a.until(() => a.presence.find(({ name, online }) => name === 'b' && !online));
  await assert.rejects(a.client.send(b.identity.peerId, 'c2VhbGVk'), { code: 'ERR_PEER_OFFLINE' });
  await assert.rejects(b.client.lookup('a'), { code: 'ERR_RENDEZVOUS_UNREACHABLE' });
});

test('pings keep the registration and tell the round trip time', async () => {
  await using server = await start({ limits: { lifetimeMs: 90_000 } });
  await using peer = new TestClient(server.url);
  await peer.client.open();
  for (let ping = 2; ping < 5; ping++) {
    peer.clock.advance(30_000);
    assert.equal(typeof (await peer.status('connected', ping)).rttMs, 'number');
  }
});

test('an abort ends a lookup', async () => {
  await using server = await start();
  await using peer = new TestClient(server.url);
  await peer.client.open();
  const controller = new AbortController();
  const lookup = peer.client.lookup('x', controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(lookup, /enough/);
});

describe('the server’s key', () => {
  test('first use is reported, so that it can be remembered; another key later is refused before a hello', async () => {
    await using server = await start();
    const seen: string[] = [];
    await using first = new TestClient(withoutPin(server.url), {
      onFingerprint: (fingerprint) => seen.push(fingerprint),
    });
    await first.client.open();
    assert.deepEqual(seen, [server.fingerprint]);
    assert.equal(first.client.fingerprint, server.fingerprint);
    await using later = new TestClient(withoutPin(server.url), { knownFingerprint: first.identity.peerId });
    await assert.rejects(later.client.open(), { code: 'ERR_RENDEZVOUS_KEY_CHANGED' });
    assert.equal(server.peersOnline, 1);
  });

  test('a URL with another fingerprint is refused, whatever is remembered', async () => {
    await using server = await start();
    const url = `${withoutPin(server.url)}#${testIdentity().peerId}`;
    await using peer = new TestClient(url, { knownFingerprint: server.fingerprint });
    await assert.rejects(peer.client.open(), { code: 'ERR_RENDEZVOUS_KEY_MISMATCH' });
    assert.equal((await peer.status('lost')).code, 'ERR_RENDEZVOUS_KEY_MISMATCH');
  });

  test('it stays over restarts, and a changed one is refused at a reconnect', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'awl-rendezvous-'));
    try {
      const server = await start({ dataDir });
      await using peer = new TestClient(withoutPin(server.url), { name: 'home' });
      await peer.client.open();
      const ports = { port: server.port, altPort: server.altPort };
      await server.stop();
      await peer.status('lost');
      const again = await start({ dataDir, ...ports });
      assert.equal(again.fingerprint, server.fingerprint);
      peer.clock.advance(10_000);
      await peer.status('connected', 2);
      // The name is still its owner's.
      await using stranger = new TestClient(again.url, { name: 'home' });
      await assert.rejects(stranger.client.open(), { code: 'ERR_NAME_TAKEN' });
      await again.stop({ graceful: false });
      await peer.status('lost', 2);
      await using impostor = await start(ports);
      assert.notEqual(impostor.fingerprint, server.fingerprint);
      peer.clock.advance(10_000);
      assert.equal((await peer.status('lost', 3)).code, 'ERR_RENDEZVOUS_KEY_CHANGED');
      assert.equal(impostor.peersOnline, 0);
    } finally {
      rmSync(dataDir, { recursive: true });
    }
  });
});

describe('refused for good', () => {
  test('a wrong access key, and none', async () => {
    await using server = await start({ key: 'k' });
    await using right = new TestClient(server.url, { accessKey: 'k' });
    await right.client.open();
    await using wrong = new TestClient(server.url, { accessKey: 'x' });
    await assert.rejects(wrong.client.open(), { code: 'ERR_RENDEZVOUS_ACCESS' });
    await using none = new TestClient(server.url);
    await assert.rejects(none.client.open(), { code: 'ERR_RENDEZVOUS_ACCESS' });
  });

  test('a bad name, a bad URL, a second open', async () => {
    await using server = await start();
    await using peer = new TestClient(server.url, { name: 'a b' });
    await assert.rejects(peer.client.open(), { code: 'ERR_NAME_INVALID' });
    await using nowhere = new TestClient('http://example.org');
    await assert.rejects(nowhere.client.open(), { code: 'ERR_USAGE' });
    await using twice = new TestClient(server.url);
    await twice.client.open();
    await assert.rejects(twice.client.open(), { code: 'ERR_USAGE' });
  });
});

describe('reconnecting', () => {
  test('an unreachable rendezvous is tried until it is there, with growing waits', async () => {
    const placeholder = createServer().listen(0, '127.0.0.1');
    await once(placeholder, 'listening');
    const { port } = placeholder.address() as AddressInfo;
    placeholder.close();
    await once(placeholder, 'close');
    await using peer = new TestClient(`awl://127.0.0.1:${port}`);
    const opened = peer.client.open();
    for (const [count, waitMs] of [
      [1, 1000],
      [2, 2000],
      [3, 4000],
    ] as const) {
      assert.equal((await peer.status('lost', count)).code, 'ERR_RENDEZVOUS_UNREACHABLE');
      await new Promise(setImmediate);
      const attempts = peer.statuses.length;
      peer.clock.advance(waitMs - 1);
      await new Promise(setImmediate);
      assert.equal(peer.statuses.length, attempts);
      if (count < 3) peer.clock.advance(1);
    }
    await using server = await start({ port });
    assert.ok(server);
    peer.clock.advance(1);
    await opened;
  });

  test('an abort while it is unreachable tells why it was not reached', async () => {
    await using peer = new TestClient('awl://127.0.0.1:1');
    const controller = new AbortController();
    const opened = peer.client.open(controller.signal);
    await peer.status('lost');
    controller.abort();
    await assert.rejects(opened, { code: 'ERR_RENDEZVOUS_UNREACHABLE' });
  });

  test('one that accepts and says nothing is given up in time', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    await using peer = new TestClient(`awl://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    const opened = peer.client.open();
    await once(silent, 'connection');
    peer.clock.advance(15_000);
    assert.equal((await peer.status('lost')).code, 'ERR_RENDEZVOUS_UNREACHABLE');
    await peer.client.close();
    await assert.rejects(opened, { code: 'ERR_ATTEMPT_CANCELLED' });
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test('a peer that went while the connection was gone is told as gone', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'awl-rendezvous-'));
    try {
      const server = await start({ dataDir });
      const home = new TestClient(server.url, { name: 'home' });
      await using peer = new TestClient(server.url);
      await home.client.open();
      await peer.client.open();
      await peer.until(() => peer.presence.find(({ online }) => online));
      await server.stop({ graceful: false });
      await home.client.close();
      await peer.status('lost');
      await using again = await start({ dataDir, port: server.port, altPort: server.altPort });
      await using other = new TestClient(again.url, { name: 'other' });
      await other.client.open();
      peer.clock.advance(10_000);
      await peer.until(() => peer.presence.find(({ name, online }) => name === 'home' && !online));
      assert.deepEqual(
        peer.presence.map(({ name, online }) => [name, online]),
        [
          ['home', true],
          ['other', true],
          ['home', false],
        ],
      );
    } finally {
      rmSync(dataDir, { recursive: true });
    }
  });

  test('requests that wait when the connection breaks are rejected', async () => {
    const server = await start();
    await using peer = new TestClient(server.url);
    await peer.client.open();
    const lookup = peer.client.lookup('x');
    const rejected = assert.rejects(lookup, { code: 'ERR_RENDEZVOUS_UNREACHABLE' });
    await server.stop({ graceful: false });
    await rejected;
  });
});

describe('a hostile rendezvous', () => {
  const identity = testIdentity();
  const WELCOME = {
    type: 'welcome',
    version: 1,
    features: [],
    observed: { address: '192.0.2.1', port: 1 },
    stun: { udp: [{ port: 1 }], tcp: [{ port: 1 }] },
    lifetimeMs: 90_000,
  };
  for (const [name, options, bytes, code] of [
    ['without ALPN', { ALPNProtocols: undefined }, Buffer.alloc(0), 'ERR_TLS_PEER'],
    ['of another version', {}, encodeFrame({ ...WELCOME, version: 9 }), 'ERR_WIRE_VERSION'],
    ['with a frame of 4 GiB', {}, Buffer.alloc(8, 255), 'ERR_WIRE_TOO_LARGE'],
    ['with a welcome that lacks STUN', {}, encodeFrame({ ...WELCOME, stun: undefined }), 'ERR_WIRE_SCHEMA'],
    [
      'that names a code of somebody else',
      {},
      encodeFrame({ type: 'error', code: 'ERR_PEER_KEY_CHANGED', reason: '\u001b[2J' }),
      'ERR_RENDEZVOUS_UNREACHABLE',
    ],
  ] as const)
    test(name, async () => {
      const raw: Socket[] = [];
      const server = createTlsServer(
        {
          key: identity.keyPem,
          cert: identity.certificatePem,
          ALPNProtocols: ['awl/1'],
          ...(options as object),
        },
        (socket) => {
          socket.on('error', () => undefined);
          socket.write(bytes);
        },
      );
      server.on('connection', (socket) => raw.push(socket));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      await using peer = new TestClient(`awl://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const opened = assert.rejects(peer.client.open());
      const { code: seen, reason } = await peer.status('lost');
      assert.equal(seen, code);
      assert.match(reason!, /^[\x20-\x7e]*$/);
      await peer.client.close();
      await opened;
      for (const socket of raw) socket.destroy();
      server.close();
    });
});
