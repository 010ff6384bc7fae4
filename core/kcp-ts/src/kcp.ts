import { AckList } from './ack-list.ts';
import { AdaptiveSender } from './adaptive-sender.ts';
import { ClassicSender } from './classic-sender.ts';
import { Bbr } from './congestion/bbr.ts';
import type { CongestionController } from './congestion/controller.ts';
import { Cubic } from './congestion/cubic.ts';
import { FixedWindow } from './congestion/fixed.ts';
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
const CLASSIC_LIMIT_BYTES = 67_108_864;
const ADAPTIVE_LIMIT_BYTES = 16_777_216;
/** First and longest wait before the peer is asked whether its window has opened; the original's and ours. */
const CLASSIC_PROBE_MS = [5000, 120_000] as const;
const ADAPTIVE_PROBE_MS = [200, 1500] as const;
const CLOCK_JUMP_MS = 10_000;

/**
 * One KCP conversation as a pure state machine: datagrams and the time go in, datagrams and data come out; no I/O, no clock, no timer.
 * All times are milliseconds of one monotonic clock and may have fractions.
 */
export class Kcp {
  readonly conv: number;
  readonly stream: boolean;
  readonly #classic: ClassicSender | null;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #acks = new AckList();
  readonly #writer: DatagramWriter;
  #intervalMs = 100;
  #updated = false;
  #toldWindow = MAX_WINDOW;
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
    this.#classic = options.classic === undefined ? null : new ClassicSender(headroomBytes, mtuBytes);
    this.#sender =
      this.#classic ?? new AdaptiveSender(headroomBytes, mtuBytes, controllerOf(options, mtuBytes));
    const limitBytes =
      options.receiveLimitBytes ?? (this.#classic ? CLASSIC_LIMIT_BYTES : ADAPTIVE_LIMIT_BYTES);
    this.#receiver = new Receiver(MIN_RECEIVE_WINDOW, limitBytes, mtuBytes);
    const sendWindow = options.sendWindow ?? (this.#classic ? 32 : MAX_WINDOW);
    const fitting = Math.floor(limitBytes / this.mssBytes);
    this.setWindows(sendWindow, options.receiveWindow ?? (this.#classic ? MIN_RECEIVE_WINDOW : fitting));
    if (options.classic) this.setClassic(options.classic);
    if (options.firstSn !== undefined) {
      this.#sender.ring.startAt(options.firstSn);
      this.#receiver.startAt(options.firstSn);
    }
  }

  /** Changes settings of the original's retransmission; what is not named stays. */
  setClassic(options: ClassicOptions): void {
    const sender = this.#classic;
    if (sender === null) return;
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
    this.#sender.sendWindow = Math.max(1, sendWindow);
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
    this.#sender.setMtu(mtuBytes);
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

  /** Tells that more will be sent as soon as there is room, so that the measured rate is the path's and not the application's. */
  set backlogged(more: boolean) {
    this.#sender.backlogged = more;
  }

  /** Pacing rate, bytes per ms; Infinity without pacing. */
  get pacingBytesPerMs(): number {
    return this.#sender.pacingBytesPerMs;
  }

  /** The peer's window, segments. */
  get remoteWindow(): number {
    return this.#sender.remoteWindow;
  }

  /** Payload bytes queued and not sent yet. */
  get queuedBytes(): number {
    return this.#sender.ring.queuedBytes;
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
      // One that was overtaken tells an old window; the original believes it.
      if (this.#classic !== null || diff32(una, sender.ring.una) >= 0) sender.remoteWindow = wnd;
      // First the segment, whose stamp gives the round trip, then all that `una` covers.
      if (cmd === CMD_ACK) sender.onAck(sn, ts, now);
      sender.onUna(una, now);
      if (cmd === CMD_PUSH) this.#onPush(datagram, at, sn, ts, frg, len);
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
    if (this.#classic === null) return this.flush(now);
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

  /** When `update` must be called next if nothing is sent or received before, ms; Infinity: never. */
  check(now: number): number {
    if (this.#classic === null) return this.#nextEvent(now);
    if (!this.#updated) return now;
    const late = diff32(now | 0, this.#flushAt);
    if (late >= 0 || late < -CLOCK_JUMP_MS) return now;
    const soonest = Math.min(-late, this.#intervalMs, this.#sender.deadline(now) - Math.floor(now));
    return now + Math.max(0, soonest);
  }

  #nextEvent(now: number): number {
    if (this.#acks.count > 0 || this.#tellWindow || this.#receiver.tellWindow) return now;
    if (this.#sender.ring.queued > 0 && this.#sender.roomBytes(now) > 0) return now;
    const probeAt = this.#probeWaitMs > 0 ? now + diff32(this.#probeAt, now | 0) : Infinity;
    return Math.max(now, Math.min(probeAt, this.#sender.deadline(now)));
  }

  /** Sends acknowledgements, probes and data now, whatever the interval. */
  flush(now: number): void {
    if (!this.#updated) {
      this.#updated = true;
      this.#flushAt = ((now | 0) + this.#intervalMs) | 0;
    }
    const receiver = this.#receiver;
    const acks = this.#acks;
    const writer = this.#writer;
    const wnd = receiver.unused;
    const una = receiver.next;
    if (this.#classic === null) {
      if (this.#toldWindow < receiver.window >> 2 && wnd >= receiver.window >> 1) this.#tellWindow = true;
      acks.repeat(writer, wnd, una);
    }
    this.#toldWindow = wnd;
    acks.flush(writer, wnd, una);
    this.#probe(now | 0);
    if (this.#askWindow) writer.control(CMD_WASK, wnd, acks.lastTs, acks.lastSn, una);
    if (this.#tellWindow || receiver.tellWindow) writer.control(CMD_WINS, wnd, acks.lastTs, acks.lastSn, una);
    this.#askWindow = false;
    this.#tellWindow = false;
    receiver.tellWindow = false;
    this.#sender.flush(writer, wnd, una, now);
    writer.flush();
  }

  #probe(current: number): void {
    const [firstMs, longestMs] = this.#classic === null ? ADAPTIVE_PROBE_MS : CLASSIC_PROBE_MS;
    const needed = this.#classic !== null || this.#sender.backlogged || this.#sender.ring.queued > 0;
    if (this.#sender.remoteWindow > 0 || !needed) {
      this.#probeWaitMs = 0;
    } else if (this.#probeWaitMs === 0) {
      this.#probeWaitMs = firstMs;
      this.#probeAt = (current + firstMs) | 0;
    } else if (diff32(current, this.#probeAt) >= 0) {
      this.#probeWaitMs = Math.min(longestMs, this.#probeWaitMs + (this.#probeWaitMs >> 1));
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

function controllerOf(options: KcpOptions, mtuBytes: number): CongestionController {
  const mssBytes = mtuBytes - HEADER_BYTES;
  const { congestion = 'bbr', random } = options;
  if (congestion === 'none') return new FixedWindow();
  if (congestion === 'cubic') return new Cubic(mssBytes);
  return new Bbr(mssBytes, random ? () => random.next() : () => 0);
}

function checkedMtu(mtuBytes: number): number {
  if (!Number.isInteger(mtuBytes) || mtuBytes < MIN_MTU_BYTES || mtuBytes > MAX_MTU_BYTES) {
    throw new RangeError(
      `mtuBytes must be an integer from ${MIN_MTU_BYTES} to ${MAX_MTU_BYTES}, not ${mtuBytes}`,
    );
  }
  return mtuBytes;
}
