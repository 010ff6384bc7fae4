/** Bytes carved into blocks at a time. */
const SLAB_BYTES = 65_536;
/** Bytes of free blocks kept when nothing is in use. */
const KEEP_BYTES = 262_144;

/**
 * Blocks of one size, reused, so that the steady state allocates nothing. Blocks of an older size are dropped when they come back.
 */
export class BufferPool {
  /** Size of the blocks handed out, bytes. */
  blockBytes: number;
  readonly #free: Uint8Array[] = [];

  constructor(blockBytes: number) {
    this.blockBytes = blockBytes;
  }

  /** Changes the size of the blocks handed out from now on. */
  resize(blockBytes: number): void {
    if (blockBytes === this.blockBytes) return;
    this.blockBytes = blockBytes;
    this.#free.length = 0;
  }

  take(): Uint8Array {
    const block = this.#free.pop();
    if (block !== undefined) return block;
    const { blockBytes } = this;
    const count = Math.max(1, Math.floor(SLAB_BYTES / blockBytes));
    const slab = Buffer.allocUnsafeSlow(count * blockBytes);
    for (let index = 1; index < count; index++) {
      this.#free.push(slab.subarray(index * blockBytes, (index + 1) * blockBytes));
    }
    return slab.subarray(0, blockBytes);
  }

  give(block: Uint8Array): void {
    if (block.length === this.blockBytes) this.#free.push(block);
  }

  /** Lets go of most free blocks; to be called when none is in use. */
  trim(): void {
    const keep = Math.max(1, Math.floor(KEEP_BYTES / this.blockBytes));
    if (this.#free.length > keep) this.#free.length = keep;
  }
}
