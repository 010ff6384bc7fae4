import type { Random } from '@awl/api';

/** The condition of one direction of a link. */
export interface LinkCondition {
  /** One way, milliseconds. */
  readonly delayMs?: number;
  /** Each packet takes up to this much more, uniformly. */
  readonly jitterMs?: number;
  /** 0 to 1. */
  readonly lossRatio?: number;
  /** True: jitter may let packets overtake each other. */
  readonly reorder?: boolean;
  /** Bits per second; unlimited where left out. */
  readonly rateBps?: number;
  /** Packets that would wait longer than this for a limited link are dropped; default 100. */
  readonly queueMs?: number;
  /** Larger packets are dropped: nobody should rely on fragments. Default 1500. */
  readonly mtuBytes?: number;
}

/** One direction of a link. */
export class Link {
  readonly #random: Random;
  #delayMs = 0;
  #jitterMs = 0;
  #lossRatio = 0;
  #reorder = false;
  #msPerByte = 0;
  #queueMs = 100;
  #mtuBytes = 1500;
  #freeAtMs = 0;
  #lastOutMs = 0;

  constructor(random: Random, condition: LinkCondition = {}) {
    this.#random = random;
    this.set(condition);
  }

  /** Changes what is named, and leaves the rest. */
  set(condition: LinkCondition): void {
    this.#delayMs = condition.delayMs ?? this.#delayMs;
    this.#jitterMs = condition.jitterMs ?? this.#jitterMs;
    this.#lossRatio = condition.lossRatio ?? this.#lossRatio;
    this.#reorder = condition.reorder ?? this.#reorder;
    this.#queueMs = condition.queueMs ?? this.#queueMs;
    this.#mtuBytes = condition.mtuBytes ?? this.#mtuBytes;
    if (condition.rateBps !== undefined)
      this.#msPerByte = Number.isFinite(condition.rateBps) ? 8000 / condition.rateBps : 0;
  }

  /** When a packet that enters at `atMs` comes out; -1 where it is lost. `exempt` from the MTU: it stands for several segments. */
  pass(atMs: number, sizeBytes: number, exempt: boolean): number {
    if (sizeBytes > this.#mtuBytes && !exempt) return -1;
    if (this.#lossRatio > 0 && this.#random.next() < this.#lossRatio) return -1;
    let outMs = atMs;
    if (this.#msPerByte > 0) {
      if (this.#freeAtMs < atMs) this.#freeAtMs = atMs;
      if (this.#freeAtMs - atMs > this.#queueMs) return -1;
      this.#freeAtMs += sizeBytes * this.#msPerByte;
      outMs = this.#freeAtMs;
    }
    outMs += this.#delayMs;
    if (this.#jitterMs === 0) return outMs;
    outMs += this.#random.next() * this.#jitterMs;
    if (this.#reorder) return outMs;
    if (outMs < this.#lastOutMs) outMs = this.#lastOutMs;
    return (this.#lastOutMs = outMs);
  }
}
