import { Duplex } from 'node:stream';
import type { Clock, KcpChannel } from './channel.ts';
import { Kcp } from './kcp.ts';
import type { ClassicOptions, CongestionChoice } from './options.ts';
import { RateMeter } from './rate-meter.ts';
import { MAX_MTU_BYTES } from './segment.ts';
import type { KcpStats } from './stats.ts';

/** The peer acknowledged nothing for `stallTimeoutMs`, or one segment was sent too often. */
export const ERR_KCP_DEAD_LINK = 'ERR_KCP_DEAD_LINK';

/** Settings of a `KcpStream`. */
export interface KcpStreamOptions {
  /** Conversation number, 32 bits; both sides use the same. */
  readonly conv: number;
  readonly clock: Clock;
  /** Bytes of the stream that may wait to be sent before `write` returns false. Default 128 KiB. */
  readonly writableHighWaterMark?: number;
  /** Bytes that may wait to be read before the receive window begins to close. Default 256 KiB. */
  readonly readableHighWaterMark?: number;
  /** Segments in flight at most. Default 65535. */
  readonly sendWindow?: number;
  /** Segments held for the reader at most. Default: what `receiveLimitBytes` holds. */
  readonly receiveWindow?: number;
  /** Bytes held for the reader at most, beyond the readable high-water mark. Default 16 MiB. */
  readonly receiveLimitBytes?: number;
  /** Without progress for so long, while something is in flight, the stream fails with `ERR_KCP_DEAD_LINK`. Default 5000. */
  readonly stallTimeoutMs?: number;
  /** Congestion control. Default `bbr`. */
  readonly congestion?: CongestionChoice;
  /** Randomness for `bbr`. */
  readonly random?: { next(): number };
  /** Behave exactly as the C original does with these settings, instead. */
  readonly classic?: ClassicOptions;
}

/** Figures of a stream: those of its conversation, and rates over the last second or so. */
export interface KcpStreamStats extends KcpStats {
  /** Payload bits per second acknowledged by the peer, lately. */
  readonly goodputBps: number;
  /** Payload bits per second received in order, lately. */
  readonly receivedBps: number;
  /** Needed retransmissions ÷ segments sent, lately, 0 to 1. */
  readonly recentLossRatio: number;
}

const READ_CHUNK_BYTES = 65_536;
/** Datagrams read before a flush that does not wait for the end of the batch. */
const BATCH_MAX = 64;
/** What waits in segments beyond what may go at once, so that the window is not idle while the writer is called back: as time, and bounds. */
const LOOKAHEAD_MS = 2;
const LOOKAHEAD_MIN_BYTES = 32_768;
const LOOKAHEAD_MAX_BYTES = 524_288;
const LONGEST_SLEEP_MS = 10_000;

type Callback = (error?: Error | null) => void;

/**
 * A reliable, ordered stream of bytes over datagrams. `end()` sends an empty segment after the last byte, which the other `KcpStream` takes
 * for the end (the original never sends one in stream mode); 'finish' means that the peer acknowledged everything. `destroy()` stops
 * all timers and closes the channel.
 */
export class KcpStream extends Duplex {
  readonly #kcp: Kcp;
  readonly #channel: KcpChannel;
  readonly #clock: Clock;
  readonly #stallTimeoutMs: number;
  readonly #headroomBytes: number;
  readonly #meter = new RateMeter();
  readonly #flushTask = (): void => this.#onFlush();
  readonly #timerTask = (): void => this.#onTimer();
  #flushTimer: Disposable | null = null;
  #unflushed = 0;
  #timer: Disposable | null = null;
  #timerAt = Infinity;
  /** What `write` gave and is not in segments yet. */
  #pending: Uint8Array[] = [];
  #pendingAt = 0;
  #pendingOffset = 0;
  #written: Callback | null = null;
  #finished: Callback | null = null;
  #endSent = false;
  #reading = false;
  #remoteEnded = false;
  /** Datagrams that came while this stream was sending: a channel may deliver within `send`. */
  #held: Uint8Array[] = [];
  #busy = false;
  /** Full chunks, then the one being filled. */
  #filled: Buffer[] = [];
  #chunk: Buffer = Buffer.alloc(0);
  #chunkStart = 0;
  #chunkEnd = 0;
  #receivedBytes = 0;
  #heardAt = 0;
  #progressAt: number;
  #progressBytes = 0;

  constructor(channel: KcpChannel, options: KcpStreamOptions) {
    super({
      writableHighWaterMark: options.writableHighWaterMark ?? 131_072,
      readableHighWaterMark: options.readableHighWaterMark ?? 262_144,
      decodeStrings: true,
    });
    this.#channel = channel;
    this.#clock = options.clock;
    this.#stallTimeoutMs = options.stallTimeoutMs ?? 5000;
    this.#headroomBytes = channel.headroomBytes ?? 0;
    this.#progressAt = options.clock.now();
    this.#kcp = new Kcp({
      ...options,
      stream: true,
      headroomBytes: this.#headroomBytes,
      mtuBytes: this.#channelMtu(),
      output: (buffer, length) =>
        channel.send(buffer.length === length ? buffer : buffer.subarray(0, length)),
    });
    this.#kcp.sink = (source, offset, length) => this.#take(source, offset, length);
    channel.onDatagram = (datagram, from = 0) => this.#onDatagram(datagram, from);
  }

  /** Figures for a user interface. */
  stats(): KcpStreamStats {
    const stats = this.#kcp.stats();
    return { ...stats, ...this.#meter.rates(this.#clock.now(), this.#kcp.counters, this.#receivedBytes) };
  }

  #channelMtu(): number {
    return Math.min(
      this.#channel.maxDatagramBytes - this.#headroomBytes,
      MAX_MTU_BYTES - this.#headroomBytes,
    );
  }

  #onDatagram(datagram: Uint8Array, from: number): void {
    if (this.destroyed) return;
    if (this.#busy) {
      if (this.#held.length < BATCH_MAX) this.#held.push(datagram.slice(from));
      return this.#planFlush();
    }
    this.#input(datagram, from);
    if (++this.#unflushed >= BATCH_MAX) this.#onFlush();
    else this.#planFlush();
  }

  #input(datagram: Uint8Array, from: number): void {
    const now = this.#clock.now();
    if (this.#kcp.input(datagram, now, from) === 'ok') this.#heardAt = now;
  }

  #planFlush(): void {
    if (this.#flushTimer !== null) return;
    this.#flushTimer = this.#clock.schedule(0, this.#flushTask);
  }

  #onFlush(): void {
    this.#flushTimer?.[Symbol.dispose]();
    this.#flushTimer = null;
    if (this.destroyed || this.#busy) return;
    for (const datagram of this.#held.splice(0)) this.#input(datagram, 0);
    this.#deliver();
    this.#pump();
  }

  /** Moves bytes into segments as the window allows, sends, and sets the timer. */
  #pump(): void {
    if (this.destroyed || this.#busy) return;
    this.#unflushed = 0;
    const kcp = this.#kcp;
    const now = this.#clock.now();
    kcp.setMtu(this.#channelMtu());
    const ahead = Math.floor(
      Math.min(LOOKAHEAD_MAX_BYTES, Math.max(LOOKAHEAD_MIN_BYTES, kcp.pacingBytesPerMs * LOOKAHEAD_MS)),
    );
    this.#fill(kcp.roomBytes(now) + ahead - kcp.queuedBytes);
    kcp.backlogged = this.#pendingAt < this.#pending.length;
    this.#flush(now);
    this.#meter.tick(now, kcp.counters, this.#receivedBytes);
    if (!this.#watch(now)) return;
    const { waiting } = kcp;
    if (this.#finished !== null && this.#written === null) {
      if (!this.#endSent) {
        this.#endSent = true;
        kcp.sendEnd();
        this.#flush(now);
      } else if (waiting === 0) this.#finish();
    }
    if (this.#written !== null && this.#pendingAt === this.#pending.length) {
      const written = this.#written;
      this.#written = null;
      this.#pending = [];
      this.#pendingAt = 0;
      written();
    }
    this.#arm(now);
  }

  #flush(now: number): void {
    this.#busy = true;
    this.#kcp.flush(now);
    this.#busy = false;
  }

  #fill(roomBytes: number): void {
    let room = roomBytes;
    while (room > 0 && this.#pendingAt < this.#pending.length) {
      const bytes = this.#pending[this.#pendingAt]!;
      const to = Math.min(bytes.length, this.#pendingOffset + room);
      const taken = this.#kcp.send(bytes, this.#pendingOffset, to);
      if (taken === 0 && to > this.#pendingOffset) return;
      room -= taken;
      this.#pendingOffset += taken;
      if (this.#pendingOffset < bytes.length) return;
      this.#pendingAt++;
      this.#pendingOffset = 0;
    }
  }

  get #idle(): boolean {
    return this.#kcp.waiting === 0 && this.#pendingAt === this.#pending.length;
  }

  /** False when the link was found dead. */
  #watch(now: number): boolean {
    const kcp = this.#kcp;
    const { deliveredBytes } = kcp.counters;
    if (this.#idle || deliveredBytes !== this.#progressBytes) {
      this.#progressBytes = deliveredBytes;
      this.#progressAt = now;
    } else if (kcp.remoteWindow === 0) {
      // Its reader has stopped, but the peer is there.
      this.#progressAt = Math.max(this.#progressAt, this.#heardAt);
    }
    const stalled = now - this.#progressAt >= this.#stallTimeoutMs;
    if (!stalled && !kcp.dead) return true;
    if (this.#finished !== null && this.#remoteEnded) {
      // The peer has ended too and is gone: what is missing is its last acknowledgement.
      this.#finish();
      return true;
    }
    const reason = stalled
      ? `nothing was acknowledged for ${this.#stallTimeoutMs} ms`
      : 'a segment was sent too often';
    this.destroy(Object.assign(new Error(`KCP: ${reason}`), { code: ERR_KCP_DEAD_LINK }));
    return false;
  }

  #finish(): void {
    const finished = this.#finished;
    this.#finished = null;
    finished?.();
  }

  #arm(now: number): void {
    const kcp = this.#kcp;
    const idle = kcp.waiting === 0 && this.#pending.length === 0;
    const at = idle
      ? Infinity
      : Math.min(kcp.check(now), now + LONGEST_SLEEP_MS, this.#progressAt + this.#stallTimeoutMs);
    if (at >= this.#timerAt) return;
    this.#timer?.[Symbol.dispose]();
    this.#timerAt = at;
    this.#timer = this.#clock.schedule(Math.max(1, at - now), this.#timerTask);
  }

  #onTimer(): void {
    this.#timer = null;
    this.#timerAt = Infinity;
    this.#pump();
  }

  /** The sink of the conversation: gathers what arrives in order. */
  #take(source: Uint8Array, offset: number, length: number): boolean {
    if (!this.#reading || this.#remoteEnded) return false;
    let from = offset;
    const end = offset + length;
    while (from < end) {
      if (this.#chunkEnd === this.#chunk.length) this.#newChunk();
      const count = Math.min(end - from, this.#chunk.length - this.#chunkEnd);
      this.#chunk.set(source.subarray(from, from + count), this.#chunkEnd);
      this.#chunkEnd += count;
      from += count;
    }
    return true;
  }

  #newChunk(): void {
    if (this.#chunkEnd > this.#chunkStart)
      this.#filled.push(this.#chunk.subarray(this.#chunkStart, this.#chunkEnd));
    this.#chunk = Buffer.allocUnsafeSlow(READ_CHUNK_BYTES);
    this.#chunkStart = 0;
    this.#chunkEnd = 0;
  }

  /** Hands what has arrived to the reader, as long as it wants more. */
  #deliver(): void {
    this.#pushChunks();
    const kcp = this.#kcp;
    while (this.#reading && !this.#remoteEnded) {
      if (this.#chunkEnd === this.#chunk.length) this.#newChunk();
      const count = kcp.readStream(this.#chunk, this.#chunkEnd);
      if (count === 0) break;
      this.#chunkEnd += count;
      this.#pushChunks();
    }
    if (this.#remoteEnded || !kcp.ended) return;
    this.#remoteEnded = true;
    this.push(null);
  }

  #pushChunks(): void {
    if (this.#filled.length > 0) for (const bytes of this.#filled.splice(0)) this.#pushOne(bytes);
    if (this.#chunkEnd === this.#chunkStart) return;
    const bytes = this.#chunk.subarray(this.#chunkStart, this.#chunkEnd);
    this.#chunkStart = this.#chunkEnd;
    this.#pushOne(bytes);
  }

  #pushOne(bytes: Buffer): void {
    this.#receivedBytes += bytes.length;
    if (!this.push(bytes)) this.#reading = false;
  }

  override _read(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#planFlush();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: Callback): void {
    this.#accept([chunk], callback);
  }

  override _writev(chunks: { chunk: Uint8Array }[], callback: Callback): void {
    this.#accept(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  #accept(chunks: Uint8Array[], callback: Callback): void {
    this.#pending = chunks;
    this.#pendingAt = 0;
    this.#pendingOffset = 0;
    this.#written = callback;
    this.#pump();
  }

  override _final(callback: Callback): void {
    this.#finished = callback;
    this.#pump();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
    this.#flushTimer?.[Symbol.dispose]();
    this.#flushTimer = null;
    this.#channel.onDatagram = null;
    if (error === null && this.#kcp.pendingAcks > 0) this.#kcp.flush(this.#clock.now());
    this.#pending = [];
    this.#written = null;
    this.#finished = null;
    this.#channel.close?.();
    callback(error);
  }
}
