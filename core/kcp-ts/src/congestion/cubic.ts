import type { AckSample, CongestionController } from './controller.ts';

/** RFC 9438: the cubic factor (per s³) and what is left of the window after a loss. */
const C = 0.4;
const BETA = 0.7;
const FIRST_WINDOW = 10;
const MIN_WINDOW = 2;
/** Pacing above the mean rate, so that the window stays the limit. */
const SLOW_START_GAIN = 2;
const GAIN = 1.25;

/** CUBIC (RFC 9438) with pacing: shares a bottleneck with TCP as TCP itself does, and suffers from random loss as TCP does. */
export class Cubic implements CongestionController {
  windowBytes: number;
  pacingBytesPerMs = Infinity;
  #mss: number;
  #threshold = Infinity;
  #maxWindow = 0;
  #epochAt = -1;
  #k = 0;
  #renoWindow = 0;
  #recoveryAt = -Infinity;
  #undo: { window: number; threshold: number; max: number } | null = null;

  constructor(mssBytes: number) {
    this.#mss = mssBytes;
    this.windowBytes = FIRST_WINDOW * mssBytes;
  }

  setMss(mssBytes: number): void {
    this.#mss = mssBytes;
    this.windowBytes = Math.max(this.windowBytes, MIN_WINDOW * mssBytes);
  }

  onAck(sample: AckSample, now: number): void {
    if (sample.lostBytes > 0 && sample.lostSentAt > this.#recoveryAt) this.#reduce(BETA, now);
    else if (sample.ackedBytes > 0 && sample.inFlightBytes + sample.ackedBytes >= this.windowBytes / 2) {
      this.#grow(sample, now);
    }
    const rtt = sample.smoothedRttMs;
    if (rtt > 0) {
      const gain = this.windowBytes < this.#threshold ? SLOW_START_GAIN : GAIN;
      this.pacingBytesPerMs = (gain * this.windowBytes) / rtt;
    }
  }

  #grow(sample: AckSample, now: number): void {
    if (this.windowBytes < this.#threshold) {
      this.windowBytes += sample.ackedBytes;
      return;
    }
    if (this.#epochAt < 0) {
      this.#epochAt = now;
      this.#maxWindow = Math.max(this.#maxWindow, this.windowBytes);
      this.#renoWindow = this.windowBytes;
      this.#k = Math.cbrt((this.#maxWindow - this.windowBytes) / this.#mss / C);
    }
    const seconds = (now - this.#epochAt + sample.smoothedRttMs) / 1000;
    const target = this.#maxWindow + C * (seconds - this.#k) ** 3 * this.#mss;
    this.#renoWindow += ((3 * (1 - BETA)) / (1 + BETA)) * this.#mss * (sample.ackedBytes / this.windowBytes);
    const wanted = Math.max(Math.min(target, 1.5 * this.windowBytes), this.#renoWindow);
    if (wanted > this.windowBytes) {
      this.windowBytes += (wanted - this.windowBytes) * Math.min(1, sample.ackedBytes / this.windowBytes);
    }
  }

  #reduce(factor: number, now: number): void {
    this.#undo = { window: this.windowBytes, threshold: this.#threshold, max: this.#maxWindow };
    this.#maxWindow =
      this.windowBytes < this.#maxWindow ? (this.windowBytes * (1 + BETA)) / 2 : this.windowBytes;
    this.windowBytes = Math.max(MIN_WINDOW * this.#mss, this.windowBytes * factor);
    this.#threshold = this.windowBytes;
    this.#epochAt = -1;
    this.#recoveryAt = now;
  }

  onTimeout(count: number, now: number): void {
    if (count < 2) return;
    if (count === 2) this.#reduce(BETA, now);
    this.windowBytes = MIN_WINDOW * this.#mss;
  }

  onSpuriousLoss(): void {
    if (this.#undo === null) return;
    this.windowBytes = Math.max(this.windowBytes, this.#undo.window);
    this.#threshold = this.#undo.threshold;
    this.#maxWindow = this.#undo.max;
    this.#epochAt = -1;
    this.#undo = null;
  }
}
