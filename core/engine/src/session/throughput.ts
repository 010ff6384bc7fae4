/** Values kept: ten minutes of one a second. */
const VALUES_KEPT = 600;

/** Rates out of counters, for the UI. */
export class ThroughputMeter {
  #sentBytes = 0;
  #receivedBytes = 0;
  #at: number | undefined;
  #values: readonly number[] = [];

  /** Bytes per second since the last sample, and the series of both directions together. */
  sample(
    sentBytes: number,
    receivedBytes: number,
    now: number,
  ): {
    readonly sendRateBps: number;
    readonly receiveRateBps: number;
    readonly throughput: readonly number[];
  } {
    const seconds = this.#at === undefined ? 1 : Math.max(0.001, (now - this.#at) / 1000);
    // A new session counts from nothing.
    const rate = (current: number, last: number): number =>
      Math.round((current >= last ? current - last : current) / seconds);
    const sendRateBps = rate(sentBytes, this.#sentBytes);
    const receiveRateBps = rate(receivedBytes, this.#receivedBytes);
    this.#sentBytes = sentBytes;
    this.#receivedBytes = receivedBytes;
    this.#at = now;
    this.#values = [...this.#values, sendRateBps + receiveRateBps].slice(-VALUES_KEPT);
    return { sendRateBps, receiveRateBps, throughput: this.#values };
  }
}
