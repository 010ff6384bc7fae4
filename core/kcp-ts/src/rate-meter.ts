import type { SenderCounters } from './sender.ts';

const WINDOW_MS = 1000;

/** Rates over the last one to two seconds, from counters. */
export class RateMeter {
  #older = { at: 0, delivered: 0, received: 0, sent: 0, resent: 0 };
  #newer = { at: 0, delivered: 0, received: 0, sent: 0, resent: 0 };
  #started = false;

  /** To be called often; costs nothing most times. */
  tick(now: number, counters: Readonly<SenderCounters>, receivedBytes: number): void {
    if (this.#started && now - this.#newer.at < WINDOW_MS) return;
    const sample = this.#older;
    this.#older = this.#newer;
    sample.at = now;
    sample.delivered = counters.deliveredBytes;
    sample.received = receivedBytes;
    sample.sent = counters.sentSegments;
    sample.resent = counters.retransmits - counters.spuriousRetransmits;
    this.#newer = sample;
    if (!this.#started) {
      this.#started = true;
      this.#older = { ...sample };
    }
  }

  rates(
    now: number,
    counters: Readonly<SenderCounters>,
    receivedBytes: number,
  ): { goodputBps: number; receivedBps: number; recentLossRatio: number } {
    this.tick(now, counters, receivedBytes);
    const { at, delivered, received, sent, resent } = this.#older;
    const elapsedMs = Math.max(1, now - at);
    const segments = counters.sentSegments - sent;
    return {
      goodputBps: ((counters.deliveredBytes - delivered) * 8000) / elapsedMs,
      receivedBps: ((receivedBytes - received) * 8000) / elapsedMs,
      recentLossRatio:
        segments === 0
          ? 0
          : Math.max(0, counters.retransmits - counters.spuriousRetransmits - resent) / segments,
    };
  }
}
