import type { DatagramWriter } from './datagram-writer.ts';
import { CMD_PUSH, diff32 } from './segment.ts';
import { type Sender, SenderCounters, type SenderGauges } from './sender.ts';
import { SendRing } from './send-ring.ts';

const RTO_DEFAULT_MS = 200;
const RTO_MIN_MS = 100;
const RTO_MIN_NODELAY_MS = 30;
const RTO_MAX_MS = 60_000;
const THRESHOLD_MIN = 2;
const FIRST_REMOTE_WINDOW = 128;

/** The rings of the original's retransmission: a deadline, a time-out and a count of skips for each segment. */
class ClassicRing extends SendRing {
  resendAt = new Int32Array(this.mask + 1);
  timeouts = new Int32Array(this.mask + 1);
  skips = new Int32Array(this.mask + 1);

  protected override grow(capacity: number): void {
    this.resendAt = this.regrow(this.resendAt, new Int32Array(capacity));
    this.timeouts = this.regrow(this.timeouts, new Int32Array(capacity));
    this.skips = this.regrow(this.skips, new Int32Array(capacity));
    super.grow(capacity);
  }
}

/** Retransmission and congestion control as the C original has them; every decision is the same, so the bytes are. */
export class ClassicSender implements Sender {
  readonly ring: ClassicRing;
  readonly counters = new SenderCounters();
  dead = false;
  remoteWindow = FIRST_REMOTE_WINDOW;
  /** 0: off; 1: time-outs grow by half; 2: by half of the current one. */
  noDelay = 0;
  intervalMs = 100;
  /** Segments acknowledged past one before it is sent again; 0: off. */
  fastResend = 0;
  /** Fast retransmissions of one segment at most; 0: no limit. */
  fastResendLimit = 5;
  /** False is the original's `nc=1`. */
  congestionWindow = true;
  sendWindow = 32;
  backlogged = false;
  readonly pacingBytesPerMs = Infinity;
  deadLinkTransmissions = 20;
  #srttMs = 0;
  #rttVarMs = 0;
  #rtoMs = RTO_DEFAULT_MS;
  #window = 0;
  #windowBytes = 0;
  #threshold = THRESHOLD_MIN;
  #inputUna = 0;
  #maxAck = 0;
  #maxAckTs = 0;
  #sawAck = false;
  /** Nothing before this needs a time-out. */
  #earliestResend = 0;
  #skipped = false;

  constructor(headroomBytes: number, mtuBytes: number) {
    this.ring = new ClassicRing(headroomBytes, mtuBytes);
  }

  get gauges(): SenderGauges {
    const { mssBytes } = this.ring;
    return {
      rttMs: this.#srttMs,
      rtoMs: this.#rtoMs,
      inFlightBytes: this.ring.unacked * mssBytes,
      windowBytes: this.congestionWindow ? this.#window * mssBytes : Infinity,
      pacingBytesPerMs: Infinity,
    };
  }

  setMtu(mtuBytes: number): void {
    this.ring.setMtu(mtuBytes);
  }

  onInputStart(): void {
    this.#inputUna = this.ring.una;
    this.#sawAck = false;
  }

  onUna(una: number): void {
    const { ring } = this;
    for (let sn = ring.una; diff32(una, sn) > 0 && sn !== ring.nxt; sn = (sn + 1) | 0)
      this.#release(sn & ring.mask);
    ring.shrink();
  }

  #release(slot: number): void {
    if (this.ring.blocks[slot] === null) return;
    this.counters.deliveredBytes += this.ring.lengths[slot]!;
    this.ring.release(slot);
  }

  onAck(sn: number, ts: number, now: number): void {
    const { ring } = this;
    const rtt = diff32(now | 0, ts);
    if (rtt >= 0) this.#onRtt(rtt);
    if (diff32(sn, ring.una) >= 0 && diff32(sn, ring.nxt) < 0) {
      this.#release(sn & ring.mask);
      ring.shrink();
    }
    if (!this.#sawAck) {
      this.#sawAck = true;
      this.#maxAck = sn;
      this.#maxAckTs = ts;
    } else if (diff32(sn, this.#maxAck) > 0 && diff32(ts, this.#maxAckTs) > 0) {
      this.#maxAck = sn;
      this.#maxAckTs = ts;
    }
  }

  #onRtt(rttMs: number): void {
    if (this.#srttMs === 0) {
      this.#srttMs = rttMs;
      this.#rttVarMs = Math.trunc(rttMs / 2);
    } else {
      const delta = Math.abs(rttMs - this.#srttMs);
      this.#rttVarMs = Math.trunc((3 * this.#rttVarMs + delta) / 4);
      this.#srttMs = Math.max(1, Math.trunc((7 * this.#srttMs + rttMs) / 8));
    }
    const rto = this.#srttMs + Math.max(this.intervalMs, 4 * this.#rttVarMs);
    this.#rtoMs = Math.min(Math.max(this.noDelay === 0 ? RTO_MIN_MS : RTO_MIN_NODELAY_MS, rto), RTO_MAX_MS);
  }

  onInputEnd(): void {
    const { ring } = this;
    if (this.#sawAck) this.#countSkips(this.#maxAck, this.#maxAckTs);
    if (diff32(ring.una, this.#inputUna) > 0) this.#growWindow();
  }

  #countSkips(maxAck: number, maxAckTs: number): void {
    const { ring } = this;
    if (diff32(maxAck, ring.una) < 0 || diff32(maxAck, ring.nxt) >= 0) return;
    for (let sn = ring.una; diff32(maxAck, sn) > 0; sn = (sn + 1) | 0) {
      const slot = sn & ring.mask;
      if (ring.acked[slot] === 1 || diff32(maxAckTs, ring.stamps[slot]!) < 0) continue;
      const skips = ring.skips[slot]! + 1;
      ring.skips[slot] = skips;
      if (this.fastResend > 0 && skips >= this.fastResend) this.#skipped = true;
    }
  }

  #growWindow(): void {
    if (this.#window >= this.remoteWindow) return;
    const mss = this.ring.mssBytes;
    if (this.#window < this.#threshold) {
      this.#window++;
      this.#windowBytes += mss;
    } else {
      this.#windowBytes = Math.max(this.#windowBytes, mss);
      this.#windowBytes += Math.trunc((mss * mss) / this.#windowBytes) + Math.trunc(mss / 16);
      if ((this.#window + 1) * mss <= this.#windowBytes)
        this.#window = Math.trunc((this.#windowBytes + mss - 1) / mss);
    }
    if (this.#window > this.remoteWindow) {
      this.#window = this.remoteWindow;
      this.#windowBytes = this.remoteWindow * mss;
    }
  }

  /** Segments that may be in flight. */
  #allowed(): number {
    const window = Math.min(this.sendWindow, this.remoteWindow);
    return this.congestionWindow ? Math.min(this.#window, window) : window;
  }

  roomBytes(): number {
    return Math.max(0, this.#allowed() - this.ring.span) * this.ring.mssBytes;
  }

  flush(writer: DatagramWriter, wnd: number, una: number, now: number): void {
    const { ring } = this;
    const current = now | 0;
    const windowBefore = this.#window;
    const limit = (ring.una + this.#allowed()) | 0;
    if (ring.unacked === 0) this.#earliestResend = (current + RTO_MAX_MS) | 0;
    let fresh = ring.nxt;
    while (diff32(ring.nxt, limit) < 0 && ring.queued > 0) {
      const slot = ring.launch();
      ring.skips[slot] = 0;
    }
    const due = ring.unacked > 0 && (this.#skipped || diff32(current, this.#earliestResend) >= 0);
    if (due) {
      fresh = ring.una;
      this.#skipped = false;
    }
    const resend = this.fastResend > 0 ? this.fastResend : 0xffffffff;
    const slack = this.noDelay === 0 ? this.#rtoMs >> 3 : 0;
    let earliest = due ? (current + RTO_MAX_MS) | 0 : this.#earliestResend;
    let fast = 0;
    let lost = false;
    for (let sn = fresh; sn !== ring.nxt; sn = (sn + 1) | 0) {
      const slot = sn & ring.mask;
      if (ring.acked[slot] === 1) continue;
      let send = true;
      if (ring.transmissions[slot] === 0) {
        ring.timeouts[slot] = this.#rtoMs;
        ring.resendAt[slot] = current + this.#rtoMs + slack;
      } else if (diff32(current, ring.resendAt[slot]!) >= 0) {
        this.counters.timeouts++;
        lost = true;
        this.#backOff(slot);
        ring.resendAt[slot] = current + ring.timeouts[slot]!;
      } else if (ring.skips[slot]! >= resend) {
        send = this.fastResendLimit <= 0 || ring.transmissions[slot]! <= this.fastResendLimit;
        if (send) {
          ring.skips[slot] = 0;
          ring.resendAt[slot] = current + ring.timeouts[slot]!;
          fast++;
        }
      } else {
        send = false;
      }
      // A time-out does not clear the count: the original sends once more at the next flush.
      if (ring.skips[slot]! >= resend) this.#skipped = true;
      if (diff32(ring.resendAt[slot]!, earliest) < 0) earliest = ring.resendAt[slot]!;
      if (send) this.#transmit(writer, sn, slot, wnd, una, current);
    }
    this.#earliestResend = earliest;
    writer.flush();
    if (fast > 0) {
      this.#threshold = Math.max(THRESHOLD_MIN, Math.trunc(diff32(ring.nxt, ring.una) / 2));
      this.#setWindow((this.#threshold + resend) >>> 0);
    }
    if (lost) {
      this.#threshold = Math.max(THRESHOLD_MIN, Math.trunc(windowBefore / 2));
      this.#setWindow(1);
    }
    if (this.#window < 1) this.#setWindow(1);
  }

  #setWindow(segments: number): void {
    this.#window = segments;
    this.#windowBytes = segments * this.ring.mssBytes;
  }

  #backOff(slot: number): void {
    const timeout = this.ring.timeouts[slot]!;
    let step = Math.max(timeout, this.#rtoMs);
    if (this.noDelay === 1) step = Math.trunc(timeout / 2);
    else if (this.noDelay > 1) step = Math.trunc(this.#rtoMs / 2);
    this.ring.timeouts[slot] = timeout + step;
  }

  #transmit(
    writer: DatagramWriter,
    sn: number,
    slot: number,
    wnd: number,
    una: number,
    current: number,
  ): void {
    const { ring } = this;
    ring.stamps[slot] = current;
    this.counters.sentSegments++;
    if (ring.transmissions[slot]!++ > 0) this.counters.retransmits++;
    writer.push(
      ring.blocks[slot]!,
      CMD_PUSH,
      ring.fragments[slot]!,
      wnd,
      current,
      sn,
      una,
      ring.lengths[slot]!,
    );
    if (ring.transmissions[slot]! >= this.deadLinkTransmissions) this.dead = true;
  }

  deadline(now: number): number {
    const { ring } = this;
    let soonest = Infinity;
    for (let sn = ring.una; sn !== ring.nxt; sn = (sn + 1) | 0) {
      const slot = sn & ring.mask;
      if (ring.acked[slot] === 0) soonest = Math.min(soonest, diff32(ring.resendAt[slot]!, now | 0));
    }
    return Math.floor(now) + soonest;
  }
}
