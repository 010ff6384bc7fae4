import { BufferPool } from './buffer-pool.ts';
import { diff32, MAX_WINDOW } from './segment.ts';

/** Takes a run of bytes of the stream during the call; false: no room, keep it. */
export type Sink = (source: Uint8Array, offset: number, length: number) => boolean;

const EMPTY = new Uint8Array(0);
const FIRST_CAPACITY = 64;

/**
 * The receiving half: a ring of segments by sequence number. `[readNext, next)` is in order and waits for `recv`; from `next` on there
 * are holes. Bounded by the window in segments and by `limitBytes` in bytes, whatever the peer sends.
 */
export class Receiver {
  /** Our window, segments. */
  window: number;
  /** First sequence number that is missing: the `una` of what we send. */
  next = 0;
  /** Bytes held, in order or not. */
  storedBytes = 0;
  /** Segments held beyond a hole. */
  outOfOrder = 0;
  /** Segments that arrived more than once. */
  duplicates = 0;
  /** Segments dropped because `limitBytes` was reached. */
  overflows = 0;
  /** Set when reading opened a window that was full: the peer must be told. */
  tellWindow = false;
  /** Bytes held at most. */
  readonly limitBytes: number;
  /** Offered each in-order segment of stream mode before it is stored. */
  sink: Sink | null = null;
  /** Bytes held in order. */
  #queuedBytes = 0;
  /** Largest payload seen, bytes. */
  #largest = 1;
  #readNext = 0;
  #mask = FIRST_CAPACITY - 1;
  #blocks: (Uint8Array | null)[] = Array.from({ length: FIRST_CAPACITY }, () => null);
  #lengths = new Int32Array(FIRST_CAPACITY);
  #fragments = new Uint8Array(FIRST_CAPACITY);
  /** Bytes of the segment at `#readNext` that `readStream` has taken already. */
  #readOffset = 0;
  readonly #pool: BufferPool;

  constructor(window: number, limitBytes: number, blockBytes: number) {
    this.window = window;
    this.limitBytes = limitBytes;
    this.#pool = new BufferPool(blockBytes);
  }

  /** Starts at another sequence number; only before anything was received. */
  startAt(sn: number): void {
    this.next = sn | 0;
    this.#readNext = sn | 0;
  }

  /** Segments that wait for `recv`. */
  get queued(): number {
    return diff32(this.next, this.#readNext);
  }

  /** Segments that the peer may send from `next` on: the `wnd` of what we send. */
  get unused(): number {
    const segments = this.window - this.queued;
    // What waits in order is bounded in bytes as well; what is out of order already counts within the window.
    const bytes = this.limitBytes - this.#queuedBytes;
    return Math.min(MAX_WINDOW, Math.max(0, Math.min(segments, Math.floor(bytes / this.#largest))));
  }

  /** Whether a PUSH of this number is to be acknowledged: it is not beyond the window. */
  accepts(sn: number): boolean {
    return diff32(sn, (this.next + this.window) | 0) < 0;
  }

  /** Takes a PUSH within the window. False: it was dropped for want of memory and must not be acknowledged. */
  push(sn: number, frg: number, bytes: Uint8Array, offset: number, length: number): boolean {
    if (diff32(sn, this.next) < 0) {
      this.duplicates++;
      return true;
    }
    if (length > this.#largest) this.#largest = length;
    if (sn === this.next && this.queued === 0 && length > 0 && this.sink?.(bytes, offset, length)) {
      this.next = (this.next + 1) | 0;
      this.#readNext = this.next;
      this.#advance();
      return true;
    }
    this.#reserve(diff32(sn, this.#readNext) + 1);
    const slot = sn & this.#mask;
    if (this.#blocks[slot] !== null) {
      this.duplicates++;
      return true;
    }
    if (this.storedBytes + length > this.limitBytes) {
      this.overflows++;
      return false;
    }
    this.#blocks[slot] = this.#copy(bytes, offset, length);
    this.#lengths[slot] = length;
    this.#fragments[slot] = frg;
    this.storedBytes += length;
    this.outOfOrder++;
    this.#advance();
    return true;
  }

  #release(slot: number, block: Uint8Array): void {
    this.#blocks[slot] = null;
    this.storedBytes -= this.#lengths[slot]!;
    this.#queuedBytes -= this.#lengths[slot]!;
    this.#pool.give(block);
    if (this.storedBytes === 0) this.#pool.trim();
  }

  /** Moves `next` over what is no longer beyond a hole. */
  #advance(): void {
    while (
      this.outOfOrder > 0 &&
      this.queued < this.window &&
      this.#blocks[this.next & this.#mask] !== null
    ) {
      this.#queuedBytes += this.#lengths[this.next & this.#mask]!;
      this.next = (this.next + 1) | 0;
      this.outOfOrder--;
    }
  }

  #copy(bytes: Uint8Array, offset: number, length: number): Uint8Array {
    if (length === 0) return EMPTY;
    if (length > this.#pool.blockBytes) this.#pool.resize(length);
    const block = length * 2 >= this.#pool.blockBytes ? this.#pool.take() : new Uint8Array(length);
    block.set(offset === 0 && length === bytes.length ? bytes : bytes.subarray(offset, offset + length));
    return block;
  }

  /** Makes the ring hold `count` segments from `#readNext`. */
  #reserve(count: number): void {
    const old = this.#mask + 1;
    if (count <= old) return;
    let capacity = old;
    while (capacity < count) capacity *= 2;
    const blocks: (Uint8Array | null)[] = Array.from({ length: capacity }, () => null);
    const lengths = new Int32Array(capacity);
    const fragments = new Uint8Array(capacity);
    for (let index = 0; index < old; index++) {
      const from = (this.#readNext + index) & this.#mask;
      const to = (this.#readNext + index) & (capacity - 1);
      blocks[to] = this.#blocks[from]!;
      lengths[to] = this.#lengths[from]!;
      fragments[to] = this.#fragments[from]!;
    }
    this.#mask = capacity - 1;
    this.#blocks = blocks;
    this.#lengths = lengths;
    this.#fragments = fragments;
  }

  /** Bytes of the next message, or -1 when it is not complete. */
  peekSize(): number {
    const { queued } = this;
    if (queued === 0) return -1;
    const first = this.#readNext & this.#mask;
    if (this.#fragments[first] === 0) return this.#lengths[first]!;
    if (queued < this.#fragments[first]! + 1) return -1;
    let total = 0;
    for (let index = 0; index < queued; index++) {
      const slot = (this.#readNext + index) & this.#mask;
      total += this.#lengths[slot]!;
      if (this.#fragments[slot] === 0) break;
    }
    return total;
  }

  /** Copies the next message into `into`: its bytes, -1 when there is none, -3 when `into` is too small. */
  recv(into: Uint8Array): number {
    const size = this.peekSize();
    if (size < 0) return -1;
    if (size > into.length) return -3;
    const full = this.queued >= this.window;
    let at = 0;
    for (let last = false; !last && this.queued > 0;) {
      const slot = this.#readNext & this.#mask;
      const length = this.#lengths[slot]!;
      const block = this.#blocks[slot]!;
      into.set(block.subarray(0, length), at);
      at += length;
      last = this.#fragments[slot] === 0;
      this.#release(slot, block);
      this.#readNext = (this.#readNext + 1) | 0;
    }
    this.#advance();
    if (full && this.queued < this.window) this.tellWindow = true;
    return at;
  }

  /** Copies bytes of the stream to `into` from `at` on, over borders of segments: bytes copied. Stops before an empty segment. */
  readStream(into: Uint8Array, at: number): number {
    const full = this.queued >= this.window;
    const start = at;
    while (this.queued > 0 && at < into.length) {
      const slot = this.#readNext & this.#mask;
      const length = this.#lengths[slot]!;
      if (length === 0) break;
      const block = this.#blocks[slot]!;
      const count = Math.min(length - this.#readOffset, into.length - at);
      into.set(block.subarray(this.#readOffset, this.#readOffset + count), at);
      at += count;
      this.#readOffset += count;
      if (this.#readOffset < length) break;
      this.#readOffset = 0;
      this.#release(slot, block);
      this.#readNext = (this.#readNext + 1) | 0;
      this.#advance();
    }
    if (full && this.queued < this.window) this.tellWindow = true;
    return at - start;
  }

  /** Whether the next segment to read is empty: in stream mode, the end. */
  get atEnd(): boolean {
    return this.queued > 0 && this.#lengths[this.#readNext & this.#mask] === 0;
  }
}
