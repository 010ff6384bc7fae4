import { AdaptiveRing } from './adaptive-ring.ts';
import type { AckSample, CongestionController } from './congestion/controller.ts';
import type { DatagramWriter } from './datagram-writer.ts';
import { IntQueue } from './int-queue.ts';
import { Pacer } from './pacer.ts';
import { RoundTrip } from './round-trip.ts';
import { CMD_PUSH, diff32 } from './segment.ts';
import { type Sender, SenderCounters, type SenderGauges } from './sender.ts';

/**
 * Part of a round trip that a segment may be overtaken by before it counts as lost (the reordering window of RFC 8985), and how far
 * needless retransmissions may raise it. It also gives lost acknowledgements the time to be repeated.
 */
const LATE_RATIO = 1 / 8;
const LATE_RATIO_MAX = 1;
const GRANULARITY_MS = 1;
/** A timer that is later than this was held up by a busy event loop: acknowledgements may be waiting unread. */
const BUSY_MS = 8;
const BACKOFF_MAX_MS = 1000;
const DEAD_TRANSMISSIONS = 32;
const FIRST_REMOTE_WINDOW = 128;

/**
 * Retransmission from measured time (after RACK-TLP, RFC 8985), a congestion controller, and pacing. Segments are looked at in
 * the order of their transmission, so that each is looked at about once whatever the window.
 */
export class AdaptiveSender implements Sender {
  readonly ring: AdaptiveRing;
  readonly counters = new SenderCounters();
  dead = false;
  remoteWindow = FIRST_REMOTE_WINDOW;
  sendWindow: number;
  /** More will be queued as soon as there is room: it is not the application that is slow. */
  backlogged = false;
  readonly #controller: CongestionController;
  readonly #roundTrip = new RoundTrip();
  readonly #pacer = new Pacer();
  /** Sequence numbers by order of transmission; entries of acknowledged or later retransmitted segments are stale. */
  readonly #sent = new IntQueue();
  /** Sequence numbers of lost segments to send again; may be stale too. */
  readonly #lost = new IntQueue();
  #inFlightBytes = 0;
  #lostBytes = 0;
  #newestAcked = -1;
  #anyAcked = false;
  #ackedSentAt = -Infinity;
  #lateRatio = LATE_RATIO;
  #raisedAt = -Infinity;
  #lossAt = Infinity;
  #timeoutsInRow = 0;
  #silentSince = 0;
  #graceUntil = 0;
  #news = false;
  readonly #sample: AckSample = {
    ackedBytes: 0,
    lostBytes: 0,
    lostSentAt: 0,
    rttMs: 0,
    minRttMs: Infinity,
    minRttAt: 0,
    smoothedRttMs: 0,
    rateBytesPerMs: 0,
    appLimited: false,
    priorDeliveredBytes: 0,
    deliveredBytes: 0,
    inFlightBytes: 0,
  };

  constructor(headroomBytes: number, mtuBytes: number, controller: CongestionController) {
    this.ring = new AdaptiveRing(headroomBytes, mtuBytes);
    this.sendWindow = FIRST_REMOTE_WINDOW;
    this.#controller = controller;
  }

  get gauges(): SenderGauges {
    return {
      rttMs: this.#roundTrip.smoothedMs,
      rtoMs: this.#roundTrip.timeoutMs,
      inFlightBytes: this.#inFlightBytes,
      windowBytes: this.#controller.windowBytes,
      pacingBytesPerMs: this.#controller.pacingBytesPerMs,
    };
  }

  get pacingBytesPerMs(): number {
    return this.#controller.pacingBytesPerMs;
  }

  setMtu(mtuBytes: number): void {
    this.ring.setMtu(mtuBytes);
    this.#controller.setMss(this.ring.mssBytes);
  }

  onInputStart(): void {}

  onInputEnd(): void {}

  onUna(una: number, now: number): void {
    const { ring } = this;
    if (diff32(una, ring.una) <= 0) return;
    for (let sn = ring.una; diff32(una, sn) > 0; sn = (sn + 1) | 0) this.#deliver(sn & ring.mask, now);
    ring.shrink();
  }

  onAck(sn: number, ts: number, now: number): void {
    const { ring } = this;
    if (diff32(sn, ring.una) < 0 || diff32(sn, ring.nxt) >= 0) return;
    const slot = sn & ring.mask;
    if (ring.acked[slot] === 1) return;
    if (ts === ring.stamps[slot]) {
      const sentAt = ring.sentAt[slot]!;
      if (sentAt > this.#ackedSentAt) {
        this.#ackedSentAt = sentAt;
        this.#sample.rttMs = Math.max(0.01, now - sentAt);
      }
    } else if (ring.transmissions[slot]! > 1) {
      this.#onSpurious(now);
    }
    if (ring.lost[slot] === 1) this.#onReordering(now);
    this.#deliver(slot, now);
    ring.shrink();
  }

  /** An earlier transmission was acknowledged after the segment had been sent again (as in RFC 3522, by the echoed stamp). */
  #onSpurious(now: number): void {
    this.counters.spuriousRetransmits++;
    if (this.#timeoutsInRow > 0) this.#roundTrip.onSpuriousTimeout();
    this.#onReordering(now);
  }

  #onReordering(now: number): void {
    if (now - this.#raisedAt < this.#roundTrip.smoothedMs) return;
    this.#raisedAt = now;
    this.#lateRatio = Math.min(LATE_RATIO_MAX, this.#lateRatio + LATE_RATIO);
    this.#controller.onSpuriousLoss(now);
  }

  #deliver(slot: number, now: number): void {
    const { ring } = this;
    if (ring.acked[slot] === 1) return;
    const length = ring.lengths[slot]!;
    if (ring.lost[slot] === 1) this.#lostBytes -= length;
    else this.#inFlightBytes -= length;
    ring.lost[slot] = 0;
    ring.onDelivered(slot, now);
    const order = ring.orders[slot]!;
    if (!this.#anyAcked || diff32(order, this.#newestAcked) > 0) this.#newestAcked = order;
    this.#anyAcked = true;
    this.counters.deliveredBytes += length;
    this.#sample.ackedBytes += length;
    this.#silentSince = now;
    this.#timeoutsInRow = 0;
    this.#news = true;
    ring.release(slot);
  }

  /** Finds losses among what was sent before the newest acknowledged transmission. */
  #detectLosses(now: number): void {
    const { ring } = this;
    const sent = this.#sent;
    const { smoothedMs, latestMs } = this.#roundTrip;
    const lateMs = (1 + this.#lateRatio) * Math.max(smoothedMs, latestMs) + GRANULARITY_MS;
    this.#lossAt = Infinity;
    while (sent.length > 0) {
      const sn = sent.first();
      const slot = sn & ring.mask;
      if (this.#stale(sn, slot)) {
        sent.shift();
        continue;
      }
      if (!this.#anyAcked || diff32(this.#newestAcked, sent.head) <= 0) return;
      const lateAt = ring.sentAt[slot]! + lateMs;
      if (now < lateAt) {
        this.#lossAt = lateAt;
        return;
      }
      sent.shift();
      this.#markLost(sn, slot);
    }
  }

  /** Whether the first entry of `#sent` is no longer the last transmission of a segment in flight. */
  #stale(sn: number, slot: number): boolean {
    const { ring } = this;
    if (diff32(sn, ring.una) < 0 || ring.acked[slot] === 1 || ring.lost[slot] === 1) return true;
    return ring.orders[slot] !== this.#sent.head;
  }

  #markLost(sn: number, slot: number): void {
    const { ring } = this;
    const length = ring.lengths[slot]!;
    ring.lost[slot] = 1;
    this.#inFlightBytes -= length;
    this.#lostBytes += length;
    this.#lost.push(sn);
    const sample = this.#sample;
    sample.lostBytes += length;
    sample.lostSentAt = Math.max(sample.lostSentAt, ring.sentAt[slot]!);
    this.#news = true;
  }

  /** When silence becomes a time-out (RFC 9002, section 6.2); Infinity when nothing is in flight. */
  #timeoutAt(): number {
    const { ring } = this;
    const sent = this.#sent;
    while (sent.length > 0 && this.#stale(sent.first(), sent.first() & ring.mask)) sent.shift();
    if (sent.length === 0) return Infinity;
    const wait = this.#roundTrip.timeoutMs;
    const backedOff = Math.min(wait * 2 ** this.#timeoutsInRow, Math.max(wait, BACKOFF_MAX_MS));
    const since = Math.max(ring.sentAt[sent.first() & ring.mask]!, this.#silentSince);
    return Math.max(since + backedOff, this.#graceUntil);
  }

  /** Sends the oldest segment again after silence; its acknowledgement then shows what else was lost. */
  #checkTimeout(now: number): boolean {
    const at = this.#timeoutAt();
    if (now < at) return false;
    if (now - at > BUSY_MS && this.#graceUntil < at) {
      this.#graceUntil = now + GRANULARITY_MS;
      return false;
    }
    this.#graceUntil = 0;
    this.#timeoutsInRow = Math.min(this.#timeoutsInRow + 1, 16);
    this.#silentSince = now;
    this.counters.timeouts++;
    const sn = this.#sent.first();
    this.#sent.shift();
    this.#markLost(sn, sn & this.ring.mask);
    this.#controller.onTimeout(this.#timeoutsInRow, now);
    return true;
  }

  /** Tells the controller what this batch of datagrams said. */
  #digest(now: number): void {
    const sample = this.#sample;
    const roundTrip = this.#roundTrip;
    if (sample.rttMs > 0) roundTrip.sample(sample.rttMs, now);
    this.#detectLosses(now);
    if (!this.#news) return;
    this.#news = false;
    sample.minRttMs = roundTrip.minMs;
    sample.minRttAt = roundTrip.minAt;
    sample.smoothedRttMs = roundTrip.smoothedMs;
    sample.inFlightBytes = this.#inFlightBytes;
    this.ring.takeSample(sample);
    this.#controller.onAck(sample, now);
    sample.ackedBytes = 0;
    sample.lostBytes = 0;
    sample.lostSentAt = 0;
    sample.rttMs = 0;
    if (this.#lateRatio > LATE_RATIO) this.#lateRatio -= LATE_RATIO / 1024;
  }

  roomBytes(now: number): number {
    this.#digest(now);
    const { ring } = this;
    const mss = ring.mssBytes;
    const controller = this.#controller;
    const budget = this.#pacer.budget(controller.pacingBytesPerMs, mss, now);
    const bytes =
      Math.min(controller.windowBytes - this.#inFlightBytes, budget) - this.#lostBytes - ring.queuedBytes;
    const segments = Math.min(this.sendWindow, this.remoteWindow) - ring.span;
    return Math.max(0, Math.min(Math.ceil(bytes / mss), segments)) * mss;
  }

  flush(writer: DatagramWriter, wnd: number, una: number, now: number): void {
    this.#digest(now);
    const { ring } = this;
    const controller = this.#controller;
    const probe = this.#checkTimeout(now);
    let budget = this.#pacer.budget(controller.pacingBytesPerMs, ring.mssBytes, now);
    const window = controller.windowBytes;
    const lost = this.#lost;
    for (let first = probe; lost.length > 0; first = false) {
      const sn = lost.first();
      const slot = sn & ring.mask;
      if (diff32(sn, ring.una) >= 0 && ring.acked[slot] === 0 && ring.lost[slot] === 1) {
        if (!first && (budget <= 0 || this.#inFlightBytes >= window)) break;
        this.#lostBytes -= ring.lengths[slot]!;
        ring.lost[slot] = 0;
        budget -= this.#transmit(writer, sn, slot, wnd, una, now);
      }
      lost.shift();
    }
    const limit = (ring.una + Math.min(this.sendWindow, this.remoteWindow)) | 0;
    while (ring.queued > 0 && budget > 0 && this.#inFlightBytes < window && diff32(ring.nxt, limit) < 0) {
      const sn = ring.nxt;
      budget -= this.#transmit(writer, sn, ring.launch(), wnd, una, now);
    }
    if (!this.backlogged && ring.queued === 0 && lost.length === 0 && this.#inFlightBytes < window) {
      ring.markLimited(this.#inFlightBytes);
    }
  }

  #transmit(writer: DatagramWriter, sn: number, slot: number, wnd: number, una: number, now: number): number {
    const { ring } = this;
    const length = ring.lengths[slot]!;
    ring.onSent(slot, this.#sent.push(sn), now, this.#inFlightBytes === 0);
    ring.stamps[slot] = now | 0;
    this.#inFlightBytes += length;
    this.#pacer.spend(length);
    this.counters.sentSegments++;
    const transmissions = ring.transmissions[slot]! + 1;
    ring.transmissions[slot] = transmissions;
    if (transmissions > 1) this.counters.retransmits++;
    if (transmissions >= DEAD_TRANSMISSIONS) this.dead = true;
    writer.push(ring.blocks[slot]!, CMD_PUSH, ring.fragments[slot]!, wnd, now | 0, sn, una, length);
    return length;
  }

  deadline(now: number): number {
    let at = Math.min(this.#lossAt, this.#timeoutAt());
    const waiting = this.#lost.length > 0 || this.ring.queued > 0 || this.backlogged;
    if (waiting && this.#inFlightBytes < this.#controller.windowBytes) {
      const wait = this.#pacer.waitMs(this.#controller.pacingBytesPerMs);
      if (wait > 0) at = Math.min(at, now + wait);
    }
    return at;
  }
}
