import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock, DatagramChannel, JsonValue, Role } from '@awl/api';
import { AwlError, type ErrorCode } from '@awl/wire';
import {
  DATAGRAM_OVERHEAD_BYTES,
  DATAGRAM_SECRET_BYTES,
  DatagramSeal,
  type OpenedDatagram,
} from './datagram.ts';
import type { SessionLimits } from './limits.ts';
import { encodeNumber, encodeRecord, RECORD, RecordParser } from './record.ts';
import { PathWatch } from './watch.ts';

/** What a path is, for people and the trace; the session only hands it on. */
export interface PathDescription {
  readonly kind: string;
  readonly strategy: string;
  readonly transport: string;
  readonly [label: string]: JsonValue;
}

/** Replies and the like that may wait for a slow path; a peer that asks for more floods us. */
const MAX_WAITING_RECORDS = 256;
/** A closing path has so long to take the last record. */
const LINGER_MS = 2000;

/** What a path tells its carrier. Methods that judge the peer return what is wrong, or undefined. */
export interface PathEvents {
  record(path: SessionPath, type: number, body: Buffer): string | undefined;
  bytes(path: SessionPath, offset: number, chunk: Buffer): string | undefined;
  datagram(path: SessionPath, datagram: OpenedDatagram): void;
  /** The next BYTES record to send on the live path. */
  next(): Buffer | undefined;
  /** True while sent bytes are not confirmed on this path. */
  outstanding(path: SessionPath): boolean;
  /** The peer broke the protocol. */
  violated(path: SessionPath, why: string): void;
  /** The path is gone, and was in this phase before. Called once, and not after `close`. */
  down(path: SessionPath, before: PathPhase, code: ErrorCode, reason: string): void;
}

export interface PathOptions {
  readonly tls: TLSSocket;
  readonly duplex: Duplex;
  readonly datagrams: DatagramChannel | undefined;
  readonly description: PathDescription;
  readonly transcript: Buffer;
  readonly role: Role;
  readonly clock: Clock;
  readonly limits: SessionLimits;
  readonly events: PathEvents;
}

/** `joining` until the peer's first message, `prepared` until nominated, `live`, `retired` when another took over. */
export type PathPhase = 'joining' | 'prepared' | 'live' | 'retired' | 'down';

/** One secured path of a session: records in and out, pings, and the watch over its progress. */
export class SessionPath {
  readonly description: PathDescription;
  readonly transcript: Buffer;
  /** Of the nomination that was sent for it. */
  nominatedEpoch = -1;
  phase: PathPhase = 'joining';
  /** Under the keys of this path, datagrams included. */
  sentBytes = 0;
  receivedBytes = 0;
  rttMs: number | undefined;
  readonly since: number;
  readonly #tls: TLSSocket;
  readonly #duplex: Duplex;
  readonly #channel: DatagramChannel | undefined;
  readonly #seal: DatagramSeal;
  readonly #clock: Clock;
  readonly #limits: SessionLimits;
  readonly #events: PathEvents;
  readonly #watch: PathWatch;
  readonly #pings = new Map<
    number,
    { readonly sentAt: number; readonly done: PromiseWithResolvers<number> }
  >();
  #nextPing = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #pumping = false;
  #linger: Disposable | undefined;

  constructor(options: PathOptions) {
    const { tls, clock, limits, events } = options;
    this.description = options.description;
    this.transcript = options.transcript;
    this.since = clock.now();
    this.#tls = tls;
    this.#duplex = options.duplex;
    this.#channel = options.datagrams;
    this.#clock = clock;
    this.#limits = limits;
    this.#events = events;
    this.#seal = new DatagramSeal(
      this.exporter('datagram', DATAGRAM_SECRET_BYTES),
      options.role === 'controlling',
    );
    this.#watch = new PathWatch(clock, limits.stallMs, limits.keepAliveMs, {
      outstanding: () => this.#pings.size > 0 || events.outstanding(this),
      stalled: () => this.fail('ERR_PATH_LOST', `no progress for ${limits.stallMs / 1000} s`),
      idle: () => void this.ping().catch(() => {}),
    });
    this.#listen();
  }

  /** The largest payload that goes over the unreliable channel. */
  get maxDatagramBytes(): number {
    const channel = this.#channel;
    return channel
      ? Math.max(0, channel.maxDatagramBytes - channel.headroomBytes - DATAGRAM_OVERHEAD_BYTES)
      : 0;
  }

  /** Secret bytes that both ends of this TLS connection, and nobody else, can make (RFC 8446 §7.5). */
  exporter(label: string, length: number): Buffer {
    return this.#tls.exportKeyingMaterial(length, `EXPORTER-awl-${label}`, this.transcript);
  }

  /** Sends a record that concerns this path. */
  send(record: Buffer): void {
    if (this.phase === 'down') return;
    this.#waiting.push(record);
    this.#waitingBytes += record.length;
    this.want();
  }

  /** There may be something to send: looks when this round of events is over, so that small writes leave together. */
  want(): void {
    if (this.#pumping || this.phase === 'down') return;
    this.#pumping = true;
    setImmediate(this.#pump);
  }

  /** The peer confirmed bytes. */
  progressed(): void {
    this.#watch.progressed();
  }

  /** Round trip to the peer's session, milliseconds. Rejects with `ERR_PATH_LOST` when the path goes down first. */
  ping(): Promise<number> {
    const last = this.#pings.get(this.#nextPing - 1);
    if (last) return last.done.promise;
    if (this.phase === 'down') return Promise.reject(new AwlError('ERR_PATH_LOST'));
    const number = this.#nextPing++;
    const done = Promise.withResolvers<number>();
    this.#pings.set(number, { sentAt: this.#clock.now(), done });
    this.send(encodeNumber(RECORD.ping, number));
    return done.promise;
  }

  /** Sends a datagram, unreliably. False when it was dropped. */
  sendDatagram(channelId: number, payload: Uint8Array): boolean {
    if (this.phase === 'down') return false;
    if (this.#channel && payload.length <= this.maxDatagramBytes) {
      this.sentBytes += payload.length;
      this.#channel.send(this.#seal.seal(channelId, payload, this.#channel.headroomBytes));
      return true;
    }
    if (this.#waitingBytes + payload.length > this.#limits.datagramQueueBytes) return false;
    const channel = Buffer.allocUnsafe(4);
    channel.writeUInt32BE(channelId);
    this.send(encodeRecord(RECORD.datagram, channel, payload));
    return true;
  }

  /** Ends the path, after a last record if one is given. */
  close(record?: Buffer): void {
    if (this.phase === 'down') return;
    this.phase = 'down';
    this.#release(new AwlError('ERR_SESSION_CLOSED'));
    if (!record || this.#tls.destroyed) return this.#destroy();
    this.#linger = this.#clock.schedule(LINGER_MS, () => this.#destroy());
    // What was already said goes first.
    this.#tls.end(Buffer.concat([...this.#waiting, record]));
    this.#tls.resume();
  }

  /** The path is lost. */
  fail(code: ErrorCode, reason: string): void {
    if (this.phase === 'down') return;
    const before = this.phase;
    this.phase = 'down';
    this.#release(new AwlError('ERR_PATH_LOST', `The path was lost: ${reason}.`));
    this.#destroy();
    this.#events.down(this, before, code, reason);
  }

  #listen(): void {
    const parser = new RecordParser({
      record: (type, body) => this.#record(type, body),
      bytes: (offset, chunk) => this.#events.bytes(this, offset, chunk),
    });
    const tls = this.#tls;
    tls.on('data', (chunk: Buffer) => {
      if (this.phase === 'down') return;
      this.receivedBytes += chunk.length;
      this.#watch.heard();
      const fault = parser.push(chunk);
      // A stream's reader may have closed the session in between.
      if (fault !== undefined) this.#events.violated(this, fault);
    });
    tls.on('drain', () => this.want());
    tls.on('error', (error) => this.fail('ERR_PATH_LOST', error.message));
    tls.on('end', () => this.fail('ERR_PATH_LOST', 'the other side closed it'));
    tls.on('close', () => {
      this.fail('ERR_PATH_LOST', 'it was closed');
      this.#destroy();
    });
    this.#duplex.on('close', () => this.fail('ERR_PATH_LOST', 'its transport was closed'));
    if (this.#channel) {
      this.#channel.onDatagram = (bytes, from = 0) => {
        if (this.phase !== 'live' && this.phase !== 'retired') return;
        const datagram = this.#seal.open(from === 0 ? bytes : bytes.subarray(from));
        if (!datagram) return;
        this.receivedBytes += datagram.payload.length;
        this.#events.datagram(this, datagram);
      };
    }
  }

  #record(type: number, body: Buffer): string | undefined {
    if (type === RECORD.ping) {
      if (this.#waiting.length >= MAX_WAITING_RECORDS) return 'more pings than can be answered';
      this.send(encodeNumber(RECORD.pong, body.readUInt32BE()));
      return undefined;
    }
    if (type === RECORD.pong) {
      const ping = this.#pings.get(body.readUInt32BE());
      if (!ping) return 'an answer to a ping that was not sent';
      this.#pings.delete(body.readUInt32BE());
      this.#watch.progressed();
      this.rttMs = this.#clock.now() - ping.sentAt;
      ping.done.resolve(this.rttMs);
      return undefined;
    }
    return this.#events.record(this, type, body);
  }

  readonly #pump = (): void => {
    this.#pumping = false;
    const tls = this.#tls;
    // Little is kept below the mux, so that what becomes urgent next is not behind much.
    while (this.phase !== 'down' && !tls.writableNeedDrain) {
      const record = this.#nextRecord();
      if (!record) return;
      this.sentBytes += record.length;
      tls.write(record);
    }
  };

  #nextRecord(): Buffer | undefined {
    if (this.#waiting.length > 0) {
      const record = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting);
      this.#waiting = [];
      this.#waitingBytes = 0;
      return record;
    }
    return this.phase === 'live' ? this.#events.next() : undefined;
  }

  #release(error: AwlError): void {
    this.#watch[Symbol.dispose]();
    if (this.#channel) this.#channel.onDatagram = null;
    for (const ping of this.#pings.values()) {
      ping.done.promise.catch(() => {});
      ping.done.reject(error);
    }
    this.#pings.clear();
  }

  #destroy(): void {
    this.#linger?.[Symbol.dispose]();
    this.#tls.destroy();
    this.#duplex.destroy();
  }
}
