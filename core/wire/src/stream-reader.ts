/** How one kind of message tells its size. */
export interface Framing {
  /** Bytes that must be there before the size is known. */
  readonly headerBytes: number;
  /** The whole message's size from its header, or undefined when the header is not acceptable (that includes: too large). */
  readonly sizeOf: (header: Buffer) => number | undefined;
}

/**
 * Cuts a byte stream into messages. Holds at most one incomplete message, whose memory is only taken once its header is accepted.
 */
export class StreamReader {
  readonly #framing: Framing;
  #pending: Buffer;
  #filled = 0;
  #sizeBytes: number | undefined;
  #failed = false;

  constructor(framing: Framing) {
    this.#framing = framing;
    this.#pending = Buffer.allocUnsafe(framing.headerBytes);
  }

  /** Bytes held of a message that is not complete. */
  get pendingBytes(): number {
    return this.#filled;
  }

  /**
   * Calls `onMessage` with each message that `chunk` completes. A message is the callee's own or a view of `chunk`.
   * @returns false once the stream can't be followed any more: close it
   */
  push(chunk: Buffer, onMessage: (message: Buffer) => void): boolean {
    let offset = 0;
    while (!this.#failed && offset < chunk.length) {
      if (this.#filled === 0) {
        // A whole message within the chunk needs no copy.
        const sizeBytes = this.#sizeAt(chunk, offset);
        if (this.#failed) break;
        if (sizeBytes !== undefined && chunk.length - offset >= sizeBytes) {
          onMessage(chunk.subarray(offset, offset + sizeBytes));
          offset += sizeBytes;
          continue;
        }
      }
      offset += this.#fill(chunk, offset, onMessage);
    }
    return !this.#failed;
  }

  #sizeAt(chunk: Buffer, offset: number): number | undefined {
    if (chunk.length - offset < this.#framing.headerBytes) return undefined;
    const sizeBytes = this.#framing.sizeOf(chunk.subarray(offset, offset + this.#framing.headerBytes));
    this.#failed = sizeBytes === undefined;
    return sizeBytes;
  }

  #fill(chunk: Buffer, offset: number, onMessage: (message: Buffer) => void): number {
    const wanted = this.#sizeBytes ?? this.#framing.headerBytes;
    const copied = chunk.copy(this.#pending, this.#filled, offset, offset + wanted - this.#filled);
    this.#filled += copied;
    if (this.#filled < wanted) return copied;
    if (this.#sizeBytes === undefined) {
      this.#sizeBytes = this.#sizeAt(this.#pending, 0);
      if (this.#sizeBytes === undefined) return copied;
      const whole = Buffer.allocUnsafe(this.#sizeBytes);
      this.#pending.copy(whole);
      this.#pending = whole;
      if (this.#filled < this.#sizeBytes) return copied;
    }
    const message = this.#pending;
    this.#pending = Buffer.allocUnsafe(this.#framing.headerBytes);
    this.#filled = 0;
    this.#sizeBytes = undefined;
    onMessage(message);
    return copied;
  }
}
