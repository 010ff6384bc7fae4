/** A part of the stream as it goes into one segment. */
export interface Part {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly fin: boolean;
}

/** Segments stand for a burst of real ones, as with segmentation offload. */
const PART_BYTES = 16_384;
const WINDOW_BYTES = 262_144;
const NOTHING = new Uint8Array(0);

/** What was written and not yet acknowledged. */
export class SendQueue {
  /** The next sequence number to send. */
  next: number;
  /** What the peer is ready to take. */
  windowBytes = WINDOW_BYTES;
  /** Acknowledgements in a row that brought nothing new. */
  duplicates = 0;
  readonly #sent: Part[] = [];
  readonly #waiting: { bytes: Uint8Array; readonly taken: () => void }[] = [];
  #finish: 'no' | 'wanted' | 'sent' = 'no';
  #acknowledged: number;

  constructor(first: number) {
    this.next = first;
    this.#acknowledged = first;
  }

  get allAcknowledged(): boolean {
    return this.#acknowledged === this.next && this.#waiting.length === 0 && this.#finish !== 'wanted';
  }

  /** True once the FIN was sent. */
  get finished(): boolean {
    return this.#finish === 'sent';
  }

  push(bytes: Uint8Array, taken: () => void): void {
    this.#waiting.push({ bytes, taken });
  }

  finish(): void {
    if (this.#finish === 'no') this.#finish = 'wanted';
  }

  /** Takes the next part that fits the window. */
  nextPart(): Part | undefined {
    const first = this.#waiting[0];
    if (!first) return this.#finish === 'wanted' ? this.#finPart() : undefined;
    const room = Math.min(this.windowBytes, WINDOW_BYTES) - (this.next - this.#acknowledged);
    if (room <= 0) return undefined;
    const bytes = first.bytes.subarray(0, Math.min(room, PART_BYTES));
    const part = this.#remember({ sequence: this.next, bytes, fin: false }, bytes.length);
    if (bytes.length < first.bytes.length) first.bytes = first.bytes.subarray(bytes.length);
    else {
      this.#waiting.shift();
      // Last: it may write more, or finish.
      first.taken();
    }
    return part;
  }

  /** The oldest part that was not acknowledged. */
  firstPart(): Part | undefined {
    return this.#sent[0];
  }

  /** True where `acknowledgement` is new. */
  acknowledge(acknowledgement: number): boolean {
    if (acknowledgement > this.next) return false;
    if (acknowledgement <= this.#acknowledged) {
      if (this.#sent.length > 0) this.duplicates++;
      return false;
    }
    this.#acknowledged = acknowledgement;
    this.duplicates = 0;
    while (this.#sent[0] && this.#sent[0].sequence < acknowledgement) this.#sent.shift();
    return true;
  }

  #finPart(): Part {
    this.#finish = 'sent';
    return this.#remember({ sequence: this.next, bytes: NOTHING, fin: true }, 1);
  }

  #remember(part: Part, length: number): Part {
    this.#sent.push(part);
    this.next += length;
    return part;
  }
}

/** What came in, put in order. */
export class ReceiveQueue {
  /** The next sequence number wanted. */
  next: number;
  /** True once all up to the FIN was taken. */
  atEnd = false;
  readonly #early = new Map<number, Part>();
  readonly #ready: Uint8Array[] = [];
  #readyBytes = 0;
  /** True once the FIN came, and all before it. */
  finished = false;

  constructor(first: number) {
    this.next = first;
  }

  get windowBytes(): number {
    return Math.max(0, WINDOW_BYTES - this.#readyBytes);
  }

  add(sequence: number, bytes: Uint8Array, fin: boolean): void {
    if (sequence < this.next || sequence > this.next + WINDOW_BYTES) return;
    this.#early.set(sequence, { sequence, bytes, fin });
    for (let part = this.#early.get(this.next); part; part = this.#early.get(this.next)) {
      this.#early.delete(this.next);
      this.next += part.bytes.length + (part.fin ? 1 : 0);
      if (part.bytes.length > 0) {
        this.#ready.push(part.bytes);
        this.#readyBytes += part.bytes.length;
      }
      if (part.fin) this.finished = true;
    }
    this.#settleEnd();
  }

  take(): Uint8Array | undefined {
    const bytes = this.#ready.shift();
    if (bytes) this.#readyBytes -= bytes.length;
    this.#settleEnd();
    return bytes;
  }

  #settleEnd(): void {
    this.atEnd = this.finished && this.#ready.length === 0;
  }
}
