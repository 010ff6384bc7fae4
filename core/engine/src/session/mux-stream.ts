import { FIRST_WINDOW_BYTES } from './frame.ts';

/** Smaller pieces than this are copied together while they wait, so that many tiny ones cost no more than their bytes. */
const OWN_MEMORY_BYTES = 4096;

/** A stream takes writes until so much waits: two records' worth, so that one is full while the writer is asked for the next. */
export const PENDING_BYTES = 131_072;

/** Who gets what a stream receives. */
export interface StreamSink {
  /** Takes a piece; false: no more until `mux.resume`. */
  data(chunk: Buffer): boolean;
  /** There is room for more. */
  roomy(): void;
  /** The FIN has left for the path. */
  finished(): void;
  /** Nothing more will come. */
  fin(): void;
  /** The stream is gone, by the peer or with the session. */
  ended(code: string): void;
}

/** One stream's two halves. Changed by the mux alone. */
export class MuxStream {
  readonly id: number;
  /** True if this side opened it. */
  readonly local: boolean;
  sink: StreamSink | undefined;
  /** Reset, or both halves done: the mux no longer knows it. */
  gone = false;

  // What we send.
  /** Until the OPEN frame is written. */
  header: Buffer | undefined;
  #pending: Buffer[] = [];
  /** Position in the first pending chunk. */
  #pendingAt = 0;
  /** Written, and not in a frame yet. */
  pendingBytes = 0;
  /** The sink waits for `roomy`. */
  full = false;
  sent = 0;
  /** The peer takes bytes up to this offset. */
  sendLimit = FIRST_WINDOW_BYTES;
  /** The limit that the peer was told to be in our way. */
  blockedAt = 0;
  finWanted = false;
  finSent = false;
  /** A RESET frame is due, with this code. */
  resetCode: string | undefined;
  /** Its last turn was a large frame: it does not go before others. */
  bulky = false;

  // What we receive.
  received = 0;
  /** Taken by the sink. */
  delivered = 0;
  windowBytes = FIRST_WINDOW_BYTES;
  /** What the peer may send up to. */
  receiveLimit = FIRST_WINDOW_BYTES;
  /** A WINDOW frame is due. */
  windowDue = false;
  /** The sender waits for credit. */
  peerBlocked = false;
  finReceived = false;
  /** The sink knows that nothing more will come. */
  finDelivered = false;
  /** The sink wants data. */
  reading = false;
  #queue: Buffer[] = [];
  #queueHead = 0;
  /** Memory of the last chunk in the queue, if it is ours and has room. */
  #tail: Buffer | undefined;

  constructor(id: number, local: boolean) {
    this.id = id;
    this.local = local;
  }

  /** Received and not yet taken. */
  get queuedBytes(): number {
    return this.received - this.delivered;
  }

  get hasPending(): boolean {
    return this.pendingBytes > 0;
  }

  /** Keeps a chunk for later. */
  enqueue(chunk: Buffer): void {
    if (chunk.length >= OWN_MEMORY_BYTES) {
      this.#tail = undefined;
      this.#queue.push(chunk);
      return;
    }
    const last = this.#queue.at(-1);
    if (this.#tail && last && last.length + chunk.length <= OWN_MEMORY_BYTES) {
      chunk.copy(this.#tail, last.length);
      this.#queue[this.#queue.length - 1] = this.#tail.subarray(0, last.length + chunk.length);
      return;
    }
    this.#tail = Buffer.allocUnsafeSlow(OWN_MEMORY_BYTES);
    chunk.copy(this.#tail);
    this.#queue.push(this.#tail.subarray(0, chunk.length));
  }

  /** The oldest kept chunk. */
  dequeue(): Buffer | undefined {
    const chunk = this.#queue[this.#queueHead];
    if (!chunk) return undefined;
    this.#queueHead++;
    if (this.#queueHead === this.#queue.length) {
      this.#queue = [];
      this.#queueHead = 0;
      this.#tail = undefined;
    }
    return chunk;
  }

  /** Drops what waits, in both directions. */
  drop(): void {
    this.#pending = [];
    this.pendingBytes = 0;
    this.finWanted = false;
    this.#queue = [];
    this.#queueHead = 0;
    this.#tail = undefined;
    this.delivered = this.received;
  }

  addPending(chunk: Buffer): void {
    this.#pending.push(chunk);
    this.pendingBytes += chunk.length;
  }

  /** Copies so many pending bytes; returns where they end. */
  takePending(into: Buffer, at: number, bytes: number): number {
    const end = at + bytes;
    let taken = 0;
    for (let to = at; to < end;) {
      const chunk = this.#pending[taken]!;
      const copied = chunk.copy(into, to, this.#pendingAt, this.#pendingAt + (end - to));
      to += copied;
      this.#pendingAt += copied;
      if (this.#pendingAt < chunk.length) break;
      this.#pendingAt = 0;
      taken++;
    }
    if (taken === this.#pending.length) this.#pending = [];
    else if (taken > 0) this.#pending.splice(0, taken);
    this.pendingBytes -= bytes;
    return end;
  }
}
