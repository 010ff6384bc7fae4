import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Clock, KcpChannel } from '../src/index.ts';

/** Real time. `schedule(0)` waits for the datagrams that the socket still holds, and no longer. */
export const realClock: Clock = {
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

/** A UDP socket aimed at one peer: at `peerPort`, or at whoever sends first. */
export class UdpChannel implements KcpChannel {
  maxDatagramBytes: number;
  onDatagram: ((datagram: Uint8Array) => void) | null = null;
  readonly #socket: Socket;
  #port: number;

  constructor(socket: Socket, maxDatagramBytes: number, peerPort: number) {
    this.maxDatagramBytes = maxDatagramBytes;
    this.#socket = socket;
    this.#port = peerPort;
    socket.on('message', (datagram, from) => {
      this.#port = from.port;
      this.onDatagram?.(datagram);
    });
  }

  static async open(maxDatagramBytes: number, peerPort = 0): Promise<UdpChannel> {
    // Without a synchronous lookup each send waits for the next tick.
    const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
    const listening = once(socket, 'listening');
    socket.bind(0, '127.0.0.1');
    await listening;
    socket.setRecvBufferSize(4_194_304);
    socket.setSendBufferSize(4_194_304);
    return new UdpChannel(socket, maxDatagramBytes, peerPort);
  }

  get localPort(): number {
    return this.#socket.address().port;
  }

  send(datagram: Uint8Array): void {
    if (this.#port > 0) this.#socket.send(datagram, this.#port, '127.0.0.1');
  }

  close(): void {
    this.#socket.close();
  }
}
