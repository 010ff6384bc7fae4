const MIN_WINDOW_MS = 10_000;
const FIRST_RTO_MS = 300;
const MAX_RTO_MS = 5000;
/** What a receiver may hold an acknowledgement back to send one for a whole batch, ms. */
const ACK_DELAY_MS = 5;
/** A time-out below this says more about a busy CPU than about the path, ms. */
const MIN_RTO_MS = 40;
const MIN_RTO_LIMIT_MS = 320;

/** Round-trip time of a path: smoothed and varying (RFC 6298), least of the last 10 s, and the time-out that follows. */
export class RoundTrip {
  /** 0 before the first sample, ms. */
  smoothedMs = 0;
  variationMs = 0;
  latestMs = 0;
  /** Infinity before the first sample. */
  minMs = Infinity;
  minAt = 0;
  #floorMs = MIN_RTO_MS;

  sample(rttMs: number, now: number): void {
    const rtt = Math.max(rttMs, 0.01);
    this.latestMs = rtt;
    if (rtt <= this.minMs || now - this.minAt > MIN_WINDOW_MS) {
      this.minMs = rtt;
      this.minAt = now;
    }
    if (this.smoothedMs === 0) {
      this.smoothedMs = rtt;
      this.variationMs = rtt / 2;
      return;
    }
    this.variationMs += (Math.abs(rtt - this.smoothedMs) - this.variationMs) / 4;
    this.smoothedMs += (rtt - this.smoothedMs) / 8;
    this.#floorMs += (MIN_RTO_MS - this.#floorMs) / 256;
  }

  /** A time-out was needless: wait longer from now on. The floor sinks again with each sample. */
  onSpuriousTimeout(): void {
    this.#floorMs = Math.min(MIN_RTO_LIMIT_MS, this.#floorMs * 2);
  }

  /** Time without an acknowledgement after which a probe is sent, ms. */
  get timeoutMs(): number {
    if (this.smoothedMs === 0) return FIRST_RTO_MS;
    return Math.min(
      MAX_RTO_MS,
      Math.max(this.#floorMs, this.smoothedMs + 4 * this.variationMs + ACK_DELAY_MS),
    );
  }
}
