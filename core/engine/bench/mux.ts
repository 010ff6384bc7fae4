/**
 * Goodput of a session's streams beside bare TLS over the same kind of duplex, and a small stream's round trips beside a bulk one. Both ends
 * run in this process, so figures compare only with each other.
 *
 *   node --conditions=source core/engine/bench/mux.ts [megabytes]
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '@awl/api';
import { createIdentity } from '../src/security/identity.ts';
import { createSession } from '../src/session/session.ts';
import { secure } from '../src/session/tls.ts';

const megabytes = Number(process.argv[2] ?? 512);
const clock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
const alice = createIdentity();
const bob = createIdentity();
const transcript = createHash('sha256').digest();

async function socketPair(): Promise<[Socket, Socket]> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const dialled = connect((listener.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true);
  const [incoming] = await accepted;
  listener.close();
  return [dialled, incoming.setNoDelay(true)];
}

/** Writes `bytes` in chunks as a socket gives them, and waits until they have arrived. */
async function transfer(from: Duplex, to: Duplex, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(65_536, 1);
  const arrived = new Promise<void>((resolve) => {
    let received = 0;
    to.on('data', (data: Buffer) => {
      received += data.length;
      if (received >= bytes) resolve();
    });
  });
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    if (!from.write(chunk)) await once(from, 'drain');
  }
  await arrived;
}

async function measure(name: string, bytes: number, work: () => Promise<void>): Promise<void> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  const gigabytes = bytes / 1e9;
  const cpuSeconds = (used.user + used.system) / 1e6;
  console.log(
    `${name.padEnd(28)} ${((gigabytes * 8000) / seconds).toFixed(0).padStart(6)} Mbit/s  ${(cpuSeconds / gigabytes).toFixed(2)} CPU s/GB`,
  );
}

async function bareTls() {
  const [a, b] = await socketPair();
  const { signal } = new AbortController();
  return Promise.all([
    secure(a, { role: 'controlling', identity: alice, peerId: bob.peerId }, signal),
    secure(b, { role: 'controlled', identity: bob, peerId: alice.peerId }, signal),
  ]);
}

async function sessions() {
  const [a, b] = await socketPair();
  const mine = createSession({ role: 'controlling', identity: alice, peer: bob, transcript, clock });
  const theirs = createSession({ role: 'controlled', identity: bob, peer: alice, transcript, clock });
  const describe = { kind: 'direct', strategy: 'bench', transport: 'tcp' };
  await Promise.all([mine.attach({ duplex: a, describe }), theirs.attach({ duplex: b, describe })]);
  const open = async (): Promise<[Duplex, Duplex]> => {
    const incoming = new Promise<Duplex>((resolve) => (theirs.onStream = resolve));
    return [mine.openStream('bench'), await incoming];
  };
  return { mine, theirs, open };
}

async function roundTrips(out: Duplex, back: Duplex, count: number): Promise<number[]> {
  back.on('data', (data) => back.write(data));
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const answer = once(out, 'data');
    out.write('x'.repeat(64));
    await answer;
    times.push(performance.now() - start);
  }
  return times.sort((x, y) => x - y);
}

const bytes = megabytes * 1024 * 1024;
for (let round = 0; round < 3; round++) {
  const [a, b] = await bareTls();
  await measure('bare TLS', bytes, () => transfer(a, b, bytes));
  a.destroy();
  b.destroy();

  const one = await sessions();
  const [from, to] = await one.open();
  await measure('session, 1 stream', bytes, () => transfer(from, to, bytes));
  one.mine.close();
  one.theirs.close();

  const eight = await sessions();
  const streams: [Duplex, Duplex][] = [];
  for (let i = 0; i < 8; i++) streams.push(await eight.open());
  await measure('session, 8 streams', bytes, async () => {
    await Promise.all(streams.map(([out, incoming]) => transfer(out, incoming, bytes / 8)));
  });
  eight.mine.close();
  eight.theirs.close();
}

const { mine, theirs, open } = await sessions();
const [small, smallBack] = await open();
const idle = await roundTrips(small, smallBack, 1000);
const [bulk, bulkEnd] = await open();
const load = transfer(bulk, bulkEnd, bytes);
const [busy, busyBack] = await open();
const loaded = await roundTrips(busy, busyBack, 200);
await load;
const show = (times: number[]): string =>
  `p50 ${(times[Math.floor(times.length / 2)]! * 1000).toFixed(0)} µs, p99 ${(times[Math.floor(times.length * 0.99)]! * 1000).toFixed(0)} µs`;
console.log(`64-byte round trips: idle ${show(idle)}; beside a bulk stream ${show(loaded)}`);
mine.close();
theirs.close();
