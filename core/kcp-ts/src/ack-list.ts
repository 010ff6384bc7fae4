import type { DatagramWriter } from './datagram-writer.ts';
import { CMD_ACK } from './segment.ts';

const FIRST_CAPACITY = 64;
/** More than this between two flushes is not acknowledged; the peer sends it again. */
const MAX_PENDING = 8192;

/** Acknowledgements that wait for the next flush, in order of arrival. */
export class AckList {
  #sns = new Int32Array(FIRST_CAPACITY);
  #stamps = new Int32Array(FIRST_CAPACITY);
  #count = 0;
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
