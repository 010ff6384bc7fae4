import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const BLOCK = Buffer.alloc(65_536, 'awl');
const PING = Buffer.alloc(64, 'ping');

/** The server behind a forwarder: the first byte of a connection says whether it counts what comes (`s`) or sends it back (`e`). */
export class Target {
  readonly #server: Server;
  /** Bytes received by each counting connection. */
  readonly counts: number[] = [];

  constructor() {
    this.#server = createServer((socket) => {
      socket.on('error', () => {});
      socket.setNoDelay(true);
      socket.once('data', (first: Buffer) => this.#serve(socket, first));
    });
  }

  #serve(socket: Socket, first: Buffer): void {
    if (first[0] === 'e'.charCodeAt(0)) {
      if (first.length > 1) socket.write(first.subarray(1));
      socket.pipe(socket);
      return;
    }
    const index = this.counts.push(first.length) - 1;
    socket.on('data', (chunk: Buffer) => (this.counts[index]! += chunk.length));
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }
}

async function open(port: number, kind: 's' | 'e'): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.setNoDelay(true);
  await once(socket, 'connect');
  socket.write(kind);
  return socket;
}

/** Waits until a forwarder answers, at most 30 s. */
export async function ready(port: number): Promise<boolean> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    try {
      const socket = await open(port, 'e');
      socket.write(PING);
      const answer = await Promise.race([
        once(socket, 'data').then(() => true),
        sleep(3000).then(() => false),
      ]);
      socket.destroy();
      if (answer) return true;
    } catch {
      // Not yet.
    }
    await sleep(200);
  }
  return false;
}

/** What flows through at once, Mbit/s, for each of `streams` connections that upload for `seconds` after one second of warm-up. */
export async function goodput(
  port: number,
  target: Target,
  streams: number,
  seconds: number,
): Promise<number[]> {
  const first = target.counts.length;
  const sockets = await Promise.all(Array.from({ length: streams }, () => open(port, 's')));
  for (const socket of sockets) flood(socket);
  await sleep(1000);
  const from = target.counts.slice(first);
  const start = performance.now();
  await sleep(seconds * 1000);
  const elapsedMs = performance.now() - start;
  const rates = target.counts
    .slice(first)
    .map((bytes, index) => ((bytes - (from[index] ?? 0)) * 8) / elapsedMs / 1000);
  for (const socket of sockets) socket.destroy();
  await sleep(500);
  return rates;
}

function flood(socket: Socket): void {
  const write = (): void => {
    while (!socket.destroyed && socket.write(BLOCK));
    socket.once('drain', write);
  };
  write();
}

/** Round trips of 64 bytes, ms, sorted. `busy`: beside a connection that uploads flat out. */
export async function latency(port: number, seconds: number, busy: boolean): Promise<number[]> {
  const bulk = busy ? await open(port, 's') : undefined;
  if (bulk) flood(bulk);
  await sleep(bulk ? 1000 : 0);
  const socket = await open(port, 'e');
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const start = performance.now();
    socket.write(PING);
    const answered = await Promise.race([
      once(socket, 'data').then(() => true),
      sleep(5000).then(() => false),
    ]);
    if (!answered) break;
    times.push(performance.now() - start);
  }
  socket.destroy();
  bulk?.destroy();
  return times.toSorted((a, b) => a - b);
}
