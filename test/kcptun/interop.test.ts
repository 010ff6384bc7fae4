import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { Readable, type Duplex } from 'node:stream';
import { test } from 'node:test';
import { KcpStream, type Clock, type KcpStreamOptions } from 'kcp-ts';
import { CheckedChannel } from './checked-channel.ts';
import { lossyRelay } from './lossy-relay.ts';
import { SmuxStream } from './smux.ts';

const MIB = 1_048_576;
const KCPTUN = ['--crypt', 'none', '--nocomp', '--ds', '0', '--ps', '0', '--mode', 'fast3', '--mtu', '1350'];
const WINDOWS = ['--sndwnd', '2048', '--rcvwnd', '2048', '--quiet', '--log', '/dev/null'];
const missing = spawnSync('sh', ['-c', 'command -v kcptun-client kcptun-server']).status !== 0;
const skip = missing ? 'kcptun is not installed (apt install kcptun)' : false;

const clock: Clock = {
  now: () => performance.now(),
  schedule: (delayMs, task) => {
    if (delayMs <= 0) {
      const immediate = setImmediate(task);
      return { [Symbol.dispose]: () => clearImmediate(immediate) };
    }
    const timer = setTimeout(task, delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

const plain: Partial<KcpStreamOptions> = {
  sendWindow: 2048,
  receiveWindow: 2048,
  classic: { noDelay: 1, intervalMs: 10, fastResend: 2, congestionWindow: false },
};

/** The bytes that go one way: made of a counter, so that their digest is known without keeping them. */
function* pattern(sizeBytes: number): Generator<Buffer> {
  const block = Buffer.alloc(65_536);
  for (let sent = 0, turn = 0; sent < sizeBytes; turn++) {
    for (let at = 0; at < block.length; at += 4)
      block.writeInt32LE(Math.imul(turn * 16_384 + at, 0x9e3779b1), at);
    const part = Buffer.from(block.subarray(0, Math.min(block.length, sizeBytes - sent)));
    sent += part.length;
    yield part;
  }
}

/** Sends `sizeBytes` and reads as many from the other side: the digest of what came. */
async function exchange(stream: Duplex, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256');
  let received = 0;
  const done = new Promise<void>((resolve, reject) => {
    stream.on('error', reject);
    stream.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      received += chunk.length;
      if (received >= sizeBytes) resolve();
    });
  });
  Readable.from(pattern(sizeBytes)).pipe(stream, { end: false });
  await done;
  assert.equal(received, sizeBytes);
  return hash.digest('hex');
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

async function listen(): Promise<Server> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function connected(port: number): Promise<Duplex> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Our client, kcptun's server, and the two ends of the byte stream through them. */
async function throughServer(
  loss: number,
  options: Partial<KcpStreamOptions>,
  scope: AsyncDisposableStack,
): Promise<[Duplex, Duplex]> {
  const target = await listen();
  scope.defer(() => void target.close());
  const port = await freePort();
  start(
    'kcptun-server',
    ['-l', `127.0.0.1:${port}`, '-t', `127.0.0.1:${(target.address() as AddressInfo).port}`],
    scope,
  );
  const relay = scope.use(await lossyRelay(port, loss, seeded(1)));
  const kcp = new KcpStream(await CheckedChannel.open(relay.port), { conv: 0x1234abcd, clock, ...options });
  scope.defer(() => void kcp.destroy());
  const accepted = once(target, 'connection') as Promise<[Duplex]>;
  const ours = new SmuxStream(kcp, 'client');
  const [theirs] = await accepted;
  scope.defer(() => void theirs.destroy());
  return [ours, theirs];
}

/** Our server, kcptun's client, and the two ends of the byte stream through them. */
async function throughClient(
  loss: number,
  options: Partial<KcpStreamOptions>,
  scope: AsyncDisposableStack,
): Promise<[Duplex, Duplex]> {
  const channel = await CheckedChannel.open();
  const relay = scope.use(await lossyRelay(channel.localPort, loss, seeded(2)));
  const port = await freePort();
  start('kcptun-client', ['-l', `127.0.0.1:${port}`, '-r', `127.0.0.1:${relay.port}`], scope);
  const theirs = await connected(port);
  scope.defer(() => void theirs.destroy());
  const kcp = new KcpStream(channel, { conv: await channel.firstConversation, clock, ...options });
  scope.defer(() => void kcp.destroy());
  channel.release();
  return [new SmuxStream(kcp, 'server'), theirs];
}

function start(command: string, args: string[], scope: AsyncDisposableStack): ChildProcess {
  const child = spawn(command, [...args, ...KCPTUN, ...WINDOWS], { stdio: 'ignore' });
  scope.defer(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  return child;
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 48_271) >>> 0) % 2_147_483_647) / 2_147_483_647;
}

const digests = new Map<number, string>();
function digest(sizeBytes: number): string {
  let known = digests.get(sizeBytes);
  if (known === undefined) {
    const hash = createHash('sha256');
    for (const part of pattern(sizeBytes)) hash.update(part);
    digests.set(sizeBytes, (known = hash.digest('hex')));
  }
  return known;
}

const roles = { 'kcptun-server': throughServer, 'kcptun-client': throughClient };
// 100 MiB without loss; less where kcptun itself would take minutes.
const cases = [
  { profile: 'adaptive', options: {}, loss: 0, sizeMib: 100 },
  { profile: 'adaptive', options: {}, loss: 0.01, sizeMib: 24 },
  { profile: 'adaptive', options: {}, loss: 0.05, sizeMib: 12 },
  { profile: 'classic', options: plain, loss: 0, sizeMib: 100 },
  { profile: 'classic', options: plain, loss: 0.01, sizeMib: 24 },
  { profile: 'classic', options: plain, loss: 0.05, sizeMib: 12 },
];

for (const [role, open] of Object.entries(roles)) {
  for (const { profile, options, loss, sizeMib } of cases) {
    test(
      `${sizeMib} MiB each way at once with ${role}, ${loss * 100} % loss, ${profile}`,
      { skip, timeout: 60_000 },
      async () => {
        await using scope = new AsyncDisposableStack();
        const [ours, theirs] = await open(loss, options, scope);
        const sizeBytes = sizeMib * MIB;
        const [down, up] = await Promise.all([exchange(ours, sizeBytes), exchange(theirs, sizeBytes)]);
        assert.equal(up, digest(sizeBytes), 'what kcptun received');
        assert.equal(down, digest(sizeBytes), 'what we received');
      },
    );
  }
}
