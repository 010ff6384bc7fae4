import { HEADER_BYTES, writeHeader } from './segment.ts';

/**
 * Takes a datagram that begins at index 0 of `buffer` and is `lengthBytes` long, headroom included. It must send or copy it before it
 * returns; a socket that queues it by reference may instead lose or garble it, which KCP takes for loss.
 */
export type Output = (buffer: Uint8Array, lengthBytes: number) => void;

/** Buffers that packed datagrams rotate through, since a socket may hold on to one for a moment. */
const ROTATION = 8;

/** Packs segments into datagrams of at most `mtuBytes` and puts them out. */
export class DatagramWriter {
  readonly #output: Output;
  readonly #conv: number;
  readonly #headroomBytes: number;
  readonly #buffers: Uint8Array[] = [];
  #turn = 0;
  #buffer: Uint8Array;
  #length: number;
  /** Largest datagram without headroom, bytes. */
  mtuBytes = 0;
  /** Datagrams put out so far. */
  datagrams = 0;

  constructor(output: Output, conv: number, headroomBytes: number, mtuBytes: number) {
    this.#output = output;
    this.#conv = conv;
    this.#headroomBytes = headroomBytes;
    this.#buffer = this.#resize(mtuBytes);
    this.#length = headroomBytes;
  }

  setMtu(mtuBytes: number): void {
    this.flush();
    this.#buffer = this.#resize(mtuBytes);
  }

  #resize(mtuBytes: number): Uint8Array {
    this.mtuBytes = mtuBytes;
    const size = mtuBytes + this.#headroomBytes;
    const slab = Buffer.allocUnsafeSlow(size * ROTATION);
    this.#buffers.length = 0;
    for (let turn = 0; turn < ROTATION; turn++)
      this.#buffers.push(slab.subarray(turn * size, (turn + 1) * size));
    return this.#buffers[0]!;
  }

  /** Bytes in the datagram that is being packed, headroom apart. */
  get pendingBytes(): number {
    return this.#length - this.#headroomBytes;
  }

  /** Adds a segment without payload (ACK, WASK, WINS). */
  control(cmd: number, wnd: number, ts: number, sn: number, una: number): void {
    if (this.pendingBytes + HEADER_BYTES > this.mtuBytes) this.flush();
    writeHeader(this.#buffer, this.#length, this.#conv, cmd, 0, wnd, ts, sn, una, 0);
    this.#length += HEADER_BYTES;
  }

  /**
   * Adds a PUSH. `block` holds headroom, room for the header, and the payload: when the segment fills a datagram it goes out from there,
   * without a copy.
   */
  push(
    block: Uint8Array,
    cmd: number,
    frg: number,
    wnd: number,
    ts: number,
    sn: number,
    una: number,
    len: number,
  ): void {
    const need = HEADER_BYTES + len;
    if (this.pendingBytes + need > this.mtuBytes) this.flush();
    const head = this.#headroomBytes;
    if (this.pendingBytes === 0 && need + HEADER_BYTES > this.mtuBytes) {
      writeHeader(block, head, this.#conv, cmd, frg, wnd, ts, sn, una, len);
      this.datagrams++;
      this.#output(block, head + need);
      return;
    }
    writeHeader(this.#buffer, this.#length, this.#conv, cmd, frg, wnd, ts, sn, una, len);
    const payload = head + HEADER_BYTES;
    this.#buffer.set(block.subarray(payload, payload + len), this.#length + HEADER_BYTES);
    this.#length += need;
  }

  /** Puts out what is packed. */
  flush(): void {
    if (this.pendingBytes === 0) return;
    this.datagrams++;
    const buffer = this.#buffer;
    const length = this.#length;
    this.#turn = (this.#turn + 1) % ROTATION;
    this.#buffer = this.#buffers[this.#turn]!;
    this.#length = this.#headroomBytes;
    this.#output(buffer, length);
  }
}
