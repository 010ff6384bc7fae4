import { AckList } from './ack-list.ts';
import { ClassicSender } from './classic-sender.ts';
import { DatagramWriter } from './datagram-writer.ts';
import type { ClassicOptions, KcpOptions } from './options.ts';
import { Receiver, type Sink } from './receiver.ts';
import {
  CMD_ACK,
  CMD_PUSH,
  CMD_WASK,
  CMD_WINS,
  diff32,
  HEADER_BYTES,
  MAX_MTU_BYTES,
  MAX_WINDOW,
  MIN_MTU_BYTES,
  readInt32,
  readUint16,
} from './segment.ts';
import type { Sender, SenderCounters } from './sender.ts';
import type { KcpStats } from './stats.ts';

/**
 * What became of a datagram: `short`: less than a header; `wrong-conv`: another conversation; `truncated`: a segment is longer than what
 * is left; `unknown-cmd`; `bad-una`: it acknowledges what was never sent. What came before the bad segment has taken effect.
 */
export type InputResult = 'ok' | 'short' | 'wrong-conv' | 'truncated' | 'unknown-cmd' | 'bad-una';

const MIN_RECEIVE_WINDOW = 128;
const PROBE_FIRST_MS = 5000;
const PROBE_MAX_MS = 120_000;
const CLOCK_JUMP_MS = 10_000;

/**
 * One KCP conversation as a pure state machine: datagrams and the time go in, datagrams and data come out; no I/O, no clock, no timer.
 * All times are milliseconds of one monotonic clock and may have fractions.
 */
export class Kcp {
  readonly conv: number;
  readonly stream: boolean;
  readonly #classic: ClassicSender;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #acks = new AckList();
  readonly #writer: DatagramWriter;
  #intervalMs: number;
  #updated = false;
  #now = 0;
  #flushAt = 0;
  #probeAt = 0;
  #probeWaitMs = 0;
  #askWindow = false;
  #tellWindow = false;
  #datagramsIn = 0;
  #rejected = 0;

  constructor(options: KcpOptions) {
    const mtuBytes = checkedMtu(options.mtuBytes ?? 1400);
    const headroomBytes = options.headroomBytes ?? 0;
    this.conv = options.conv | 0;
    this.stream = options.stream ?? false;
    this.#writer = new DatagramWriter(options.output, this.conv, headroomBytes, mtuBytes);
    this.#classic = new ClassicSender(headroomBytes, mtuBytes);
    this.#sender = this.#classic;
    this.#receiver = new Receiver(MIN_RECEIVE_WINDOW, options.receiveLimitBytes ?? 67_108_864, mtuBytes);
    this.#intervalMs = 100;
    this.setWindows(options.sendWindow ?? 32, options.receiveWindow ?? MIN_RECEIVE_WINDOW);
    this.setClassic(options.classic ?? {});
    if (options.firstSn !== undefined) {
      this.#sender.ring.startAt(options.firstSn);
      this.#receiver.startAt(options.firstSn);
    }
  }

  /** Changes settings of the original's retransmission; what is not named stays. */
  setClassic(options: ClassicOptions): void {
    const sender = this.#classic;
    if (options.noDelay !== undefined) sender.noDelay = options.noDelay;
    if (options.intervalMs !== undefined) {
      this.#intervalMs = Math.min(5000, Math.max(10, Math.floor(options.intervalMs)));
      sender.intervalMs = this.#intervalMs;
    }
    if (options.fastResend !== undefined) sender.fastResend = options.fastResend;
    if (options.fastResendLimit !== undefined) sender.fastResendLimit = options.fastResendLimit;
    if (options.congestionWindow !== undefined) sender.congestionWindow = options.congestionWindow;
    if (options.deadLinkTransmissions !== undefined)
      sender.deadLinkTransmissions = options.deadLinkTransmissions;
  }

  /** Sets the windows, segments. */
  setWindows(sendWindow: number, receiveWindow: number): void {
    this.#classic.sendWindow = Math.max(1, sendWindow);
    this.#receiver.window = Math.min(MAX_WINDOW, Math.max(MIN_RECEIVE_WINDOW, receiveWindow));
  }

  /**
   * Sets the largest datagram, bytes, headroom apart. Segments that are already cut keep their size.
   * @throws RangeError below 50 or above 65507.
   */
  setMtu(mtuBytes: number): void {
    checkedMtu(mtuBytes);
    if (mtuBytes === this.#writer.mtuBytes) return;
    this.#writer.setMtu(mtuBytes);
    this.#sender.ring.setMtu(mtuBytes);
  }

  get mtuBytes(): number {
    return this.#writer.mtuBytes;
  }

  /** Largest payload of a segment, bytes. */
  get mssBytes(): number {
    return this.#sender.ring.mssBytes;
  }

  /** The link is dead: what is in flight was sent too often. */
  get dead(): boolean {
    return this.#sender.dead;
  }

  /** What was counted so far; live. */
  get counters(): Readonly<SenderCounters> {
    return this.#sender.counters;
  }

  /** Segments sent and not acknowledged, or queued. */
  get waiting(): number {
    return this.#sender.ring.unacked + this.#sender.ring.queued;
  }

  /** Payload bytes that could go out at once if they were queued now. */
  roomBytes(now: number): number {
    return this.#sender.roomBytes(now);
  }

  /** Takes what `recv` or `readStream` would give, without a copy in between, when it arrives in order and nothing waits. */
  set sink(sink: Sink | null) {
    this.#receiver.sink = this.stream ? sink : null;
  }

  /**
   * Queues a message or, in stream mode, bytes of the stream from `from` to `to`; they are copied. `flush` or `update` sends them.
   * @returns bytes taken, or -2: too long a message, or too many segments wait.
   */
  send(bytes: Uint8Array, from = 0, to: number = bytes.length): number {
    if (this.stream) return this.#sender.ring.sendStream(bytes, from, to);
    return this.#sender.ring.sendMessage(bytes.subarray(from, to)) ? to - from : -2;
  }

  /** Stream mode: queues an empty segment, which kcp-ts takes for the end of the stream. The original never sends one in this mode. */
  sendEnd(): void {
    this.#sender.ring.sendEmpty();
  }

  /** Copies the next message (or segment) into `into`: its bytes, -1: none is complete, -3: `into` is too small. */
  recv(into: Uint8Array): number {
    return this.#receiver.recv(into);
  }

  /** Bytes of the next message, -1: none is complete. */
  peekSize(): number {
    return this.#receiver.peekSize();
  }

  /** Stream mode: copies what has arrived into `into` from `at` on: bytes copied. */
  readStream(into: Uint8Array, at = 0): number {
    return this.#receiver.readStream(into, at);
  }

  /** Stream mode: whether all before the peer's end was read. */
  get ended(): boolean {
    return this.#receiver.atEnd;
  }

  /** Acknowledgements that wait for the next flush. */
  get pendingAcks(): number {
    return this.#acks.count;
  }

  /** Reads a datagram that begins at `from`. Nothing of it is kept: what must be is copied. */
  input(datagram: Uint8Array, now: number, from = 0): InputResult {
    this.#now = now;
    this.#datagramsIn++;
    const result = this.#parse(datagram, now, from);
    if (result !== 'ok') this.#rejected++;
    return result;
  }

  #parse(datagram: Uint8Array, now: number, from: number): InputResult {
    const end = datagram.length;
    if (end - from < HEADER_BYTES) return 'short';
    const sender = this.#sender;
    sender.onInputStart();
    let at = from;
    while (end - at >= HEADER_BYTES) {
      if (readInt32(datagram, at) !== this.conv) return 'wrong-conv';
      const cmd = datagram[at + 4]!;
      const frg = datagram[at + 5]!;
      const wnd = readUint16(datagram, at + 6);
      const ts = readInt32(datagram, at + 8);
      const sn = readInt32(datagram, at + 12);
      const una = readInt32(datagram, at + 16);
      const len = readInt32(datagram, at + 20);
      at += HEADER_BYTES;
      if (len < 0 || len > end - at) return 'truncated';
      if (cmd < CMD_PUSH || cmd > CMD_WINS) return 'unknown-cmd';
      if (diff32(una, sender.ring.nxt) > 0) return 'bad-una';
      sender.remoteWindow = wnd;
      sender.onUna(una, now);
      if (cmd === CMD_PUSH) this.#onPush(datagram, at, sn, ts, frg, len);
      else if (cmd === CMD_ACK) sender.onAck(sn, ts, now);
      else if (cmd === CMD_WASK) this.#tellWindow = true;
      at += len;
    }
    sender.onInputEnd(now);
    return 'ok';
  }

  #onPush(datagram: Uint8Array, at: number, sn: number, ts: number, frg: number, len: number): void {
    if (this.#receiver.accepts(sn) && this.#receiver.push(sn, frg, datagram, at, len)) this.#acks.add(sn, ts);
  }

  /** Sends what is due, if it is time: to be called at `check()`'s time, or every 10 to 100 ms. */
  update(now: number): void {
    this.#now = now;
    const current = now | 0;
    if (!this.#updated) {
      this.#updated = true;
      this.#flushAt = current;
    }
    let late = diff32(current, this.#flushAt);
    if (late >= CLOCK_JUMP_MS || late < -CLOCK_JUMP_MS) {
      this.#flushAt = current;
      late = 0;
    }
    if (late < 0) return;
    this.#flushAt = (this.#flushAt + this.#intervalMs) | 0;
    if (diff32(current, this.#flushAt) >= 0) this.#flushAt = (current + this.#intervalMs) | 0;
    this.flush(now);
  }

  /** When `update` must be called next if nothing is sent or received before, ms. */
  check(now: number): number {
    if (!this.#updated) return now;
    const late = diff32(now | 0, this.#flushAt);
    if (late >= 0 || late < -CLOCK_JUMP_MS) return now;
    const soonest = Math.min(-late, this.#intervalMs, this.#sender.deadline(now) - Math.floor(now));
    return now + Math.max(0, soonest);
  }

  /** Sends acknowledgements, probes and data now, whatever the interval. */
  flush(now: number = this.#now): void {
    this.#now = now;
    if (!this.#updated) {
      this.#updated = true;
      this.#flushAt = ((now | 0) + this.#intervalMs) | 0;
    }
    const wnd = this.#receiver.unused;
    const una = this.#receiver.next;
    const writer = this.#writer;
    this.#acks.flush(writer, wnd, una);
    this.#probe(now | 0);
    if (this.#askWindow) writer.control(CMD_WASK, wnd, this.#acks.lastTs, this.#acks.lastSn, una);
    if (this.#tellWindow || this.#receiver.tellWindow) {
      writer.control(CMD_WINS, wnd, this.#acks.lastTs, this.#acks.lastSn, una);
    }
    this.#askWindow = false;
    this.#tellWindow = false;
    this.#receiver.tellWindow = false;
    this.#sender.flush(writer, wnd, una, now);
    writer.flush();
  }

  #probe(current: number): void {
    if (this.#sender.remoteWindow > 0) {
      this.#probeWaitMs = 0;
    } else if (this.#probeWaitMs === 0) {
      this.#probeWaitMs = PROBE_FIRST_MS;
      this.#probeAt = (current + PROBE_FIRST_MS) | 0;
    } else if (diff32(current, this.#probeAt) >= 0) {
      this.#probeWaitMs = Math.min(PROBE_MAX_MS, this.#probeWaitMs + (this.#probeWaitMs >> 1));
      this.#probeAt = (current + this.#probeWaitMs) | 0;
      this.#askWindow = true;
    }
  }

  /** Figures since the start. */
  stats(): KcpStats {
    const { counters, gauges } = this.#sender;
    const lost = counters.retransmits - counters.spuriousRetransmits;
    return {
      ...gauges,
      sentSegments: counters.sentSegments,
      retransmits: counters.retransmits,
      timeouts: counters.timeouts,
      spuriousRetransmits: counters.spuriousRetransmits,
      deliveredBytes: counters.deliveredBytes,
      lossRatio: counters.sentSegments === 0 ? 0 : lost / counters.sentSegments,
      duplicates: this.#receiver.duplicates,
      sendQueueBytes: this.#sender.ring.queuedBytes,
      receiveQueueBytes: this.#receiver.storedBytes,
      receiveWindow: this.#receiver.unused,
      remoteWindow: this.#sender.remoteWindow,
      datagramsIn: this.#datagramsIn,
      datagramsOut: this.#writer.datagrams,
      rejectedDatagrams: this.#rejected,
    };
  }
}

function checkedMtu(mtuBytes: number): number {
  if (!Number.isInteger(mtuBytes) || mtuBytes < MIN_MTU_BYTES || mtuBytes > MAX_MTU_BYTES) {
    throw new RangeError(
      `mtuBytes must be an integer from ${MIN_MTU_BYTES} to ${MAX_MTU_BYTES}, not ${mtuBytes}`,
    );
  }
  return mtuBytes;
}
