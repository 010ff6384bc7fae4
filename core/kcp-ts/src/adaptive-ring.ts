import type { AckSample } from './congestion/controller.ts';
import { SendRing } from './send-ring.ts';

/** Acknowledgements come in bunches, once per turn of an event loop: over less time than this their rate means nothing, ms. */
const INTERVAL_MS = 6;
/** What a flow that has only begun is measured over at least, ms. */
const FIRST_INTERVAL_MS = 2;
const MARKS = 16;
const MARK_EVERY_MS = INTERVAL_MS / (MARKS - 4);

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
  /** What had been delivered at times of the last few ms, since something was first in flight. */
  readonly #markAt = new Float64Array(MARKS);
  readonly #markDelivered = new Float64Array(MARKS);
  #mark = 0;
  #marks = 0;

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
      if (this.#limitedUntil > 0 || this.#marks === 0) {
        this.#marks = 0;
        this.#addMark(now);
      }
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
    if (elapsedMs >= INTERVAL_MS)
      sample.rateBytesPerMs = (this.deliveredBytes - this.#priorDelivered) / elapsedMs;
    else sample.rateBytesPerMs = this.#rateOverMarks();
    this.#priorDelivered = -1;
  }

  /** The rate since the newest mark that is old enough, or since something was first in flight. */
  #rateOverMarks(): number {
    const now = this.#lastDeliveredAt;
    if (now - this.#markAt[this.#mark]! >= MARK_EVERY_MS) this.#addMark(now);
    let index = this.#mark;
    for (let count = 1; count < this.#marks && now - this.#markAt[index]! < INTERVAL_MS; count++) {
      index = (index + MARKS - 1) % MARKS;
    }
    const elapsedMs = now - this.#markAt[index]!;
    // Less than that of an application that pauses is a burst and no rate.
    if (this.#sampleLimited && elapsedMs < INTERVAL_MS) return 0;
    return (this.deliveredBytes - this.#markDelivered[index]!) / Math.max(FIRST_INTERVAL_MS, elapsedMs);
  }

  #addMark(at: number): void {
    this.#mark = (this.#mark + 1) % MARKS;
    this.#marks = Math.min(MARKS, this.#marks + 1);
    this.#markAt[this.#mark] = at;
    this.#markDelivered[this.#mark] = this.deliveredBytes;
  }
}
