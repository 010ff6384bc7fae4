import type { AckSample } from './congestion/controller.ts';
import { SendRing } from './send-ring.ts';

/**
 * The rings of the adaptive sender: when each segment was last sent, the number of that transmission, and what had been delivered then,
 * from which acknowledgements measure the delivery rate (draft-cheng-iccrg-delivery-rate-estimation).
 */
export class AdaptiveRing extends SendRing {
  sentAt = new Float64Array(this.mask + 1);
  /** Running number of the last transmission. */
  orders = new Int32Array(this.mask + 1);
  /** 1 when found lost and not sent again yet. */
  lost = new Uint8Array(this.mask + 1);
  #delivered = new Float64Array(this.mask + 1);
  #deliveredAt = new Float64Array(this.mask + 1);
  #firstSentAt = new Float64Array(this.mask + 1);
  #limited = new Uint8Array(this.mask + 1);
  /** Bytes delivered in all. */
  deliveredBytes = 0;
  #lastDeliveredAt = 0;
  #windowFirstSentAt = 0;
  /** While fewer bytes than this are delivered, the application held the rate down. */
  #limitedUntil = 0;
  /** Of the newest segment acknowledged in this batch. */
  #sampleSentAt = 0;
  #priorDelivered = -1;
  #priorAt = 0;
  #sendElapsed = 0;
  #sampleLimited = false;

  protected override grow(capacity: number): void {
    this.sentAt = this.regrow(this.sentAt, new Float64Array(capacity));
    this.orders = this.regrow(this.orders, new Int32Array(capacity));
    this.lost = this.regrow(this.lost, new Uint8Array(capacity));
    this.#delivered = this.regrow(this.#delivered, new Float64Array(capacity));
    this.#deliveredAt = this.regrow(this.#deliveredAt, new Float64Array(capacity));
    this.#firstSentAt = this.regrow(this.#firstSentAt, new Float64Array(capacity));
    this.#limited = this.regrow(this.#limited, new Uint8Array(capacity));
    super.grow(capacity);
  }

  /** Notes a transmission; `idle`: nothing else was in flight. */
  onSent(slot: number, order: number, now: number, idle: boolean): void {
    if (idle) {
      this.#windowFirstSentAt = now;
      this.#lastDeliveredAt = now;
    }
    this.sentAt[slot] = now;
    this.orders[slot] = order;
    this.#delivered[slot] = this.deliveredBytes;
    this.#deliveredAt[slot] = this.#lastDeliveredAt;
    this.#firstSentAt[slot] = this.#windowFirstSentAt;
    this.#limited[slot] = this.#limitedUntil > 0 ? 1 : 0;
  }

  /** Notes that a segment was delivered; to be called before it is released. */
  onDelivered(slot: number, now: number): void {
    this.deliveredBytes += this.lengths[slot]!;
    this.#lastDeliveredAt = now;
    const prior = this.#delivered[slot]!;
    const sentAt = this.sentAt[slot]!;
    if (prior < this.#priorDelivered || (prior === this.#priorDelivered && sentAt <= this.#sampleSentAt))
      return;
    this.#priorDelivered = prior;
    this.#priorAt = this.#deliveredAt[slot]!;
    this.#sampleSentAt = sentAt;
    this.#sendElapsed = sentAt - this.#firstSentAt[slot]!;
    this.#windowFirstSentAt = sentAt;
    this.#sampleLimited = this.#limited[slot] === 1;
  }

  /** The application has no more to send though the window would allow it. */
  markLimited(inFlightBytes: number): void {
    this.#limitedUntil = Math.max(1, this.deliveredBytes + inFlightBytes);
  }

  /** Fills in the batch's delivery rate and begins the next batch. */
  takeSample(sample: AckSample): void {
    if (this.deliveredBytes > this.#limitedUntil) this.#limitedUntil = 0;
    sample.deliveredBytes = this.deliveredBytes;
    sample.priorDeliveredBytes = Math.max(0, this.#priorDelivered);
    sample.appLimited = this.#sampleLimited;
    sample.rateBytesPerMs = 0;
    if (this.#priorDelivered < 0) return;
    const elapsedMs = Math.max(this.#sendElapsed, this.#lastDeliveredAt - this.#priorAt);
    // Shorter than the least round trip: bunched acknowledgements, not a rate.
    if (elapsedMs > 0 && elapsedMs >= Math.min(sample.minRttMs, 1)) {
      sample.rateBytesPerMs = (this.deliveredBytes - this.#priorDelivered) / elapsedMs;
    }
    this.#priorDelivered = -1;
  }
}
