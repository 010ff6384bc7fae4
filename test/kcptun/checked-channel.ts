import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { crc32 } from 'node:zlib';
import { conversationOf, type KcpChannel } from 'kcp-ts';

/** What kcp-go puts before a datagram when a cipher is set, even the empty one: 16 random bytes and the CRC-32 of the rest. */
const NONCE_BYTES = 16;
const HEADROOM_BYTES = NONCE_BYTES + 4;

/** A UDP socket aimed at one peer, with kcp-go's checksums: at `peerPort`, or at whoever sends first. */
export class CheckedChannel implements KcpChannel {
  readonly maxDatagramBytes = 1350;
  readonly headroomBytes = HEADROOM_BYTES;
  onDatagram: ((datagram: Uint8Array, from?: number) => void) | null = null;
  /** Resolves with the conversation of the first datagram, which is delivered afterwards. */
  readonly firstConversation: Promise<number>;
  readonly #socket: Socket;
  readonly #early: Uint8Array[] = [];
  #port: number;

  private constructor(socket: Socket, peerPort: number) {
    this.#socket = socket;
    this.#port = peerPort;
    let resolve: (conv: number) => void;
    this.firstConversation = new Promise((done) => (resolve = done));
    socket.on('message', (datagram, from) => {
      if (datagram.length < HEADROOM_BYTES) return;
      const body = datagram.subarray(HEADROOM_BYTES);
      if (crc32(body) !== datagram.readUInt32LE(NONCE_BYTES))
        throw new Error('a datagram came with a wrong checksum');
      this.#port = from.port;
      if (this.onDatagram) return this.onDatagram(datagram, HEADROOM_BYTES);
      this.#early.push(datagram);
      resolve(conversationOf(body)!);
    });
  }

  static async open(peerPort = 0): Promise<CheckedChannel> {
    const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
    const listening = once(socket, 'listening');
    socket.bind(0, '127.0.0.1');
    await listening;
    socket.setRecvBufferSize(4_194_304);
    return new CheckedChannel(socket, peerPort);
  }

  get localPort(): number {
    return this.#socket.address().port;
  }

  /** Delivers what came before `onDatagram` was set. */
  release(): void {
    for (const datagram of this.#early.splice(0)) this.onDatagram?.(datagram, HEADROOM_BYTES);
  }

  send(datagram: Uint8Array): void {
    if (this.#port === 0) return;
    const checksum = crc32(datagram.subarray(HEADROOM_BYTES));
    new DataView(datagram.buffer, datagram.byteOffset).setUint32(NONCE_BYTES, checksum, true);
    this.#socket.send(datagram, this.#port, '127.0.0.1');
  }

  close(): void {
    this.#socket.close();
  }
}
