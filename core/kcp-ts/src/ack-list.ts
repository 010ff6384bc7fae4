import type { DatagramWriter } from './datagram-writer.ts';
import { CMD_ACK, diff32 } from './segment.ts';

const FIRST_CAPACITY = 64;
/** More than this between two flushes is not acknowledged; the peer sends it again. */
const MAX_PENDING = 8192;

/** Acknowledgements of the last flush that are sent once more at most. */
const MAX_REPEATS = 128;

/** Acknowledgements that wait for the next flush, in order of arrival. */
export class AckList {
  #sns = new Int32Array(FIRST_CAPACITY);
  #stamps = new Int32Array(FIRST_CAPACITY);
  #count = 0;
  readonly #oldSns = new Int32Array(MAX_REPEATS);
  readonly #oldStamps = new Int32Array(MAX_REPEATS);
  #oldCount = 0;
  /** Of the last one written; WASK and WINS carry them too, as the original's do. */
  lastSn = 0;
  lastTs = 0;

  get count(): number {
    return this.#count;
  }

  add(sn: number, ts: number): void {
    if (this.#count === this.#sns.length) {
      if (this.#count === MAX_PENDING) return;
      this.#grow();
    }
    this.#sns[this.#count] = sn;
    this.#stamps[this.#count] = ts;
    this.#count++;
  }

  #grow(): void {
    const sns = new Int32Array(this.#sns.length * 2);
    const stamps = new Int32Array(sns.length);
    sns.set(this.#sns);
    stamps.set(this.#stamps);
    this.#sns = sns;
    this.#stamps = stamps;
  }

  /**
   * Writes once more those of the last flush that `una` does not cover: behind a hole nothing else tells the peer what a lost
   * acknowledgement would have told. To be called before `flush`, so that the newest come last, as the original's do.
   */
  repeat(writer: DatagramWriter, wnd: number, una: number): void {
    if (this.#count === 0) return;
    for (let index = 0; index < this.#oldCount; index++) {
      const sn = this.#oldSns[index]!;
      if (diff32(sn, una) >= 0) writer.control(CMD_ACK, wnd, this.#oldStamps[index]!, sn, una);
    }
    this.#oldCount = Math.min(this.#count, MAX_REPEATS);
    const from = this.#count - this.#oldCount;
    for (let index = 0; index < this.#oldCount; index++) {
      this.#oldSns[index] = this.#sns[from + index]!;
      this.#oldStamps[index] = this.#stamps[from + index]!;
    }
  }

  /** Writes all and forgets them. */
  flush(writer: DatagramWriter, wnd: number, una: number): void {
    this.lastSn = 0;
    this.lastTs = 0;
    for (let index = 0; index < this.#count; index++) {
      this.lastSn = this.#sns[index]!;
      this.lastTs = this.#stamps[index]!;
      writer.control(CMD_ACK, wnd, this.lastTs, this.lastSn, una);
    }
    this.#count = 0;
  }
}
