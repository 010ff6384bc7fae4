import { BufferPool } from './buffer-pool.ts';
import { diff32, HEADER_BYTES } from './segment.ts';

const FIRST_CAPACITY = 64;
/** The original refuses messages of as many fragments as the default receive window. */
const MAX_FRAGMENTS = 128;
/** Segments, in flight or queued, at most. */
const MAX_CAPACITY = 131_072;

/**
 * Segments to send, by sequence number, in typed-array rings: `[una, nxt)` is in flight, `[nxt, tail)` queued. Each segment's payload
 * lies in a block with room for the headroom and the header before it, so that it can go out from there.
 */
export class SendRing {
  /** First sequence number that is not acknowledged. */
  una = 0;
  /** Next one to be sent for the first time. */
  nxt = 0;
  /** Next one to be given to a segment. */
  tail = 0;
  /** Segments in flight that are not acknowledged. */
  unacked = 0;
  /** Payload bytes queued, not sent yet. */
  queuedBytes = 0;
  mask = FIRST_CAPACITY - 1;
  blocks: (Uint8Array | null)[] = Array.from({ length: FIRST_CAPACITY }, () => null);
  lengths = new Int32Array(FIRST_CAPACITY);
  fragments = new Uint8Array(FIRST_CAPACITY);
  /** Stamp on the wire of the last transmission. */
  stamps = new Int32Array(FIRST_CAPACITY);
  /** Times sent; 0 for a queued one. */
  transmissions = new Int32Array(FIRST_CAPACITY);
  /** 1 when acknowledged though not yet passed by `una`. */
  acked = new Uint8Array(FIRST_CAPACITY);
  readonly headroomBytes: number;
  readonly #pool: BufferPool;
  #mssBytes: number;

  constructor(headroomBytes: number, mtuBytes: number) {
    this.headroomBytes = headroomBytes;
    this.#pool = new BufferPool(headroomBytes + mtuBytes);
    this.#mssBytes = mtuBytes - HEADER_BYTES;
  }

  /** Largest payload of a segment, bytes. */
  get mssBytes(): number {
    return this.#mssBytes;
  }

  setMtu(mtuBytes: number): void {
    this.#mssBytes = mtuBytes - HEADER_BYTES;
    this.#pool.resize(this.headroomBytes + mtuBytes);
  }

  startAt(sn: number): void {
    this.una = sn | 0;
    this.nxt = sn | 0;
    this.tail = sn | 0;
  }

  /** Segments in flight or queued, acknowledged ones beyond a hole included. */
  get span(): number {
    return diff32(this.tail, this.una);
  }

  get queued(): number {
    return diff32(this.tail, this.nxt);
  }

  /** Queues a message, cut into fragments. False: too long. */
  sendMessage(bytes: Uint8Array): boolean {
    const count = Math.max(1, Math.ceil(bytes.length / this.#mssBytes));
    if (count >= MAX_FRAGMENTS || this.span + count > MAX_CAPACITY) return false;
    let at = 0;
    for (let index = 0; index < count; index++) {
      const length = Math.min(this.#mssBytes, bytes.length - at);
      this.#append(bytes, at, length, count - index - 1);
      at += length;
    }
    return true;
  }

  /** Queues bytes of the stream from `from` on, filling the last queued segment first: bytes taken. */
  sendStream(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    if (this.queued > 0) {
      const slot = (this.tail - 1) & this.mask;
      const length = this.lengths[slot]!;
      const room = Math.min(this.#mssBytes, this.blocks[slot]!.length - this.headroomBytes - HEADER_BYTES);
      const count = Math.min(room - length, to - at);
      if (count > 0 && length > 0) {
        this.blocks[slot]!.set(bytes.subarray(at, at + count), this.headroomBytes + HEADER_BYTES + length);
        this.lengths[slot] = length + count;
        this.queuedBytes += count;
        at += count;
      }
    }
    while (at < to && this.span < MAX_CAPACITY) {
      const count = Math.min(this.#mssBytes, to - at);
      this.#append(bytes, at, count, 0);
      at += count;
    }
    return at - from;
  }

  /** Queues an empty segment: in stream mode, the end. */
  sendEmpty(): void {
    if (this.span < MAX_CAPACITY) this.#append(new Uint8Array(0), 0, 0, 0);
  }

  #append(bytes: Uint8Array, at: number, length: number, frg: number): void {
    if (this.span > this.mask) this.grow((this.mask + 1) * 2);
    const slot = this.tail & this.mask;
    const block = this.#pool.take();
    if (length > 0) block.set(bytes.subarray(at, at + length), this.headroomBytes + HEADER_BYTES);
    this.blocks[slot] = block;
    this.lengths[slot] = length;
    this.fragments[slot] = frg;
    this.transmissions[slot] = 0;
    this.acked[slot] = 0;
    this.queuedBytes += length;
    this.tail = (this.tail + 1) | 0;
  }

  /** Moves the next queued segment into flight: its slot. */
  launch(): number {
    const slot = this.nxt & this.mask;
    this.nxt = (this.nxt + 1) | 0;
    this.unacked++;
    this.queuedBytes -= this.lengths[slot]!;
    return slot;
  }

  /** Frees the payload of a segment in flight. */
  release(slot: number): void {
    const block = this.blocks[slot];
    if (block === null || block === undefined) return;
    this.blocks[slot] = null;
    this.acked[slot] = 1;
    this.unacked--;
    this.#pool.give(block);
  }

  /** Moves `una` over what is acknowledged. */
  shrink(): void {
    while (this.una !== this.nxt && this.acked[this.una & this.mask] === 1) this.una = (this.una + 1) | 0;
    if (this.una === this.tail) this.#pool.trim();
  }

  /** Makes the rings hold `capacity` segments; a subclass grows its own as well. */
  protected grow(capacity: number): void {
    const blocks: (Uint8Array | null)[] = Array.from({ length: capacity }, () => null);
    for (let sn = this.una; sn !== this.tail; sn = (sn + 1) | 0) {
      blocks[sn & (capacity - 1)] = this.blocks[sn & this.mask]!;
    }
    this.blocks = blocks;
    this.lengths = this.regrow(this.lengths, new Int32Array(capacity));
    this.fragments = this.regrow(this.fragments, new Uint8Array(capacity));
    this.stamps = this.regrow(this.stamps, new Int32Array(capacity));
    this.transmissions = this.regrow(this.transmissions, new Int32Array(capacity));
    this.acked = this.regrow(this.acked, new Uint8Array(capacity));
    this.mask = capacity - 1;
  }

  /** Copies a ring into a larger one; `mask` is still the old one. */
  protected regrow<T extends Int32Array | Uint8Array | Float64Array>(old: T, larger: T): T {
    const mask = larger.length - 1;
    for (let sn = this.una; sn !== this.tail; sn = (sn + 1) | 0) larger[sn & mask] = old[sn & this.mask]!;
    return larger;
  }
}
