/** What may leave in one go after a pause: a timer is never better than a millisecond, an event loop often worse. */
const BURST_MS = 5;
const BURST_SEGMENTS = 16;
const LEAST_WAIT_MS = 0.1;

/** A token bucket: bytes that may leave now, at a rate that changes. */
export class Pacer {
  #budget = 0;
  #filledAt = 0;
  #started = false;

  /** Bytes that may leave now; at most 0: none. */
  budget(rateBytesPerMs: number, mssBytes: number, now: number): number {
    if (rateBytesPerMs === Infinity) return Infinity;
    const most = Math.max(BURST_SEGMENTS * mssBytes, rateBytesPerMs * BURST_MS);
    const filled = this.#started ? this.#budget + rateBytesPerMs * (now - this.#filledAt) : most;
    this.#started = true;
    this.#budget = Math.min(most, filled);
    this.#filledAt = now;
    return this.#budget;
  }

  spend(bytes: number): void {
    this.#budget -= bytes;
  }

  /** Time until something may leave, ms. */
  waitMs(rateBytesPerMs: number): number {
    if (this.#budget > 0 || rateBytesPerMs === Infinity) return 0;
    return Math.max(LEAST_WAIT_MS, (1 - this.#budget) / rateBytesPerMs);
  }
}
