import type { Duplex } from 'node:stream';
import type { Clock, DatagramChannel, Role } from '@awl/api';
import { AwlError, isErrorCode, type ErrorCode } from '@awl/wire';
import type { Identity } from '../security/identity.ts';
import type { OpenedDatagram } from './datagram.ts';
import { decodeJoin, encodeJoin, proves, type Join, type ResumeKeys } from './join.ts';
import type { SessionLimits } from './limits.ts';
import { SessionPath, type PathDescription, type PathEvents, type PathPhase } from './path.ts';
import { encodeOffset, encodeRecord, RECORD } from './record.ts';
import { SendLog } from './send-log.ts';
import { secure } from './tls.ts';

/** So many bytes are confirmed at once, or what there is after the delay. */
const ACK_BYTES = 256 * 1024;
const ACK_DELAY_MS = 20;
const SECRET_BYTES = 32;

/** A punched path to make part of a session. */
export interface AttachOptions {
  /** The reliable stream; the session's from now on, also when this fails. */
  readonly duplex: Duplex;
  readonly describe: PathDescription;
  /** Hash of the offer, answer and go that led to this path; default: the session's own. */
  readonly transcript?: Uint8Array;
  /** For datagrams beside the stream. What else uses the socket (checks, the transport) is told apart below it. */
  readonly datagrams?: DatagramChannel;
  /** Prepare the path only; `select` of what `attach` gives puts it into service. For the controlling side. */
  readonly hold?: boolean;
}

export interface CarrierOptions {
  readonly role: Role;
  readonly identity: Identity;
  readonly peerId: string;
  readonly sessionId: Buffer;
  readonly transcript: Buffer;
  readonly clock: Clock;
  readonly limits: SessionLimits;
  readonly events: CarrierEvents;
}

export interface CarrierEvents {
  /** More of the peer's byte stream. Returns what is wrong with it, or undefined. */
  receive(chunk: Buffer): string | undefined;
  /** Writes more of ours; returns where it ended. */
  pull(into: Buffer, from: number, to: number): number;
  selected(path: SessionPath): void;
  /** The live path is gone. */
  lost(code: ErrorCode, reason: string): void;
  datagram(datagram: OpenedDatagram): void;
  /** The peer closed the session, or broke its protocol. */
  ended(code: ErrorCode, reason: string): void;
}

/** A path while `attach` waits for it. */
interface Attachment {
  readonly done: PromiseWithResolvers<void>;
  /** No other path was in use when it began: offsets can only have grown since. */
  readonly alone: boolean;
  readonly hold: boolean;
}

/**
 * Carries a session's two byte streams over whichever path is live, exactly: each byte has an offset, is kept until the peer confirms it, and
 * is sent again on the next path if need be. Only the controlling side chooses the path, by NOMINATE.
 */
export class Carrier implements PathEvents {
  readonly #options: CarrierOptions;
  readonly #log: SendLog;
  readonly #paths = new Map<SessionPath, Attachment>();
  readonly #closing = new AbortController();
  #live: SessionPath | undefined;
  /** Controlling: the newest nomination sent. Controlled: the newest followed. */
  #epoch = 0;
  #handshakes = 0;
  #received = 0;
  #confirmed = 0;
  #ackTimer: Disposable | undefined;
  readonly #retired = new Map<SessionPath, Disposable>();
  #secret: Buffer | undefined;

  constructor(options: CarrierOptions) {
    this.#options = options;
    this.#log = new SendLog(options.limits.unackedBytes);
  }

  get live(): SessionPath | undefined {
    return this.#live;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get unackedBytes(): number {
    return this.#log.unackedBytes;
  }

  /** Memory of the log. */
  get heldBytes(): number {
    return this.#log.heldBytes;
  }

  /** There is something to pull. */
  want(): void {
    this.#live?.want();
  }

  /** Secures a path and joins it to the session. Resolves when it is in service; for a held or the controlled side, when it could be. */
  async attach(options: AttachOptions, signal?: AbortSignal): Promise<SessionPath> {
    const { clock, limits, role } = this.#options;
    const prepared = [...this.#paths.keys()].filter(({ phase }) => phase === 'prepared').length;
    if (this.#closing.signal.aborted || this.#handshakes + prepared >= limits.preparedPaths) {
      options.duplex.on('error', () => {});
      options.duplex.destroy();
      throw (
        this.#closing.signal.reason ??
        new AwlError('ERR_SESSION_RESUME', 'Too many paths are being prepared.')
      );
    }
    const alone = this.#paths.size === 0;
    const timeout = new AbortController();
    const timer = clock.schedule(limits.handshakeMs, () =>
      timeout.abort(new AwlError('ERR_PATH_LOST', 'The path was not secured in time.')),
    );
    const stop = AbortSignal.any([this.#closing.signal, timeout.signal, ...(signal ? [signal] : [])]);
    this.#handshakes++;
    let path: SessionPath | undefined;
    const onStop = (): void => path?.fail('ERR_PATH_LOST', 'it was given up');
    try {
      const tls = await secure(options.duplex, { ...this.#options, role }, stop);
      path = new SessionPath({
        tls,
        duplex: options.duplex,
        datagrams: options.datagrams,
        description: options.describe,
        transcript: Buffer.from(options.transcript ?? this.#options.transcript),
        role,
        clock,
        limits,
        events: this,
      });
      const attachment = { done: Promise.withResolvers<void>(), alone, hold: options.hold ?? false };
      this.#paths.set(path, attachment);
      stop.addEventListener('abort', onStop, { once: true });
      this.#join(path);
      if (role === 'controlling' && !attachment.hold) this.#nominate(path);
      await attachment.done.promise;
      return path;
    } catch (error) {
      throw stop.aborted ? stop.reason : error;
    } finally {
      this.#handshakes--;
      timer[Symbol.dispose]();
      stop.removeEventListener('abort', onStop);
    }
  }

  /** Puts a prepared path into service (controlling side). */
  select(path: SessionPath): void {
    if (path.phase === 'prepared') this.#nominate(path);
  }

  /** Ends all paths; the peer is told. */
  close(code: ErrorCode): void {
    this.#closing.abort(new AwlError(code));
    this.#ackTimer?.[Symbol.dispose]();
    const last = encodeRecord(RECORD.close, Buffer.from(code));
    for (const [path, attachment] of this.#paths) {
      path.close(path.phase === 'joining' || path.phase === 'retired' ? undefined : last);
      attachment.done.reject(new AwlError(code));
      attachment.done.promise.catch(() => {});
    }
    for (const timer of this.#retired.values()) timer[Symbol.dispose]();
    this.#retired.clear();
    this.#paths.clear();
    this.#live = undefined;
  }

  // What paths report.

  next(): Buffer | undefined {
    const log = this.#log;
    const waiting = log.next();
    if (waiting || log.full) return waiting;
    return log.append(this.#options.events.pull) ? log.next() : undefined;
  }

  outstanding(path: SessionPath): boolean {
    return path === this.#live && this.#log.outstandingBytes > 0;
  }

  datagram(_path: SessionPath, datagram: OpenedDatagram): void {
    this.#options.events.datagram(datagram);
  }

  bytes(path: SessionPath, offset: number, chunk: Buffer): string | undefined {
    if (path.phase !== 'live' && path.phase !== 'retired') return 'data on a path that was not nominated';
    const seen = this.#received - offset;
    if (seen < 0) return `data at ${offset} after ${this.#received}`;
    if (seen >= chunk.length) return undefined;
    this.#received = offset + chunk.length;
    this.#acknowledge();
    return this.#options.events.receive(seen === 0 ? chunk : chunk.subarray(seen));
  }

  record(path: SessionPath, type: number, body: Buffer): string | undefined {
    switch (type) {
      case RECORD.hello:
      case RECORD.resume:
        return this.#joined(path, type, body);
      case RECORD.nominate:
        return this.#nominated(path, body.readUInt32BE(), body.readUIntBE(4, 6));
      case RECORD.nominated:
        return this.#followed(path, body.readUInt32BE(), body.readUIntBE(4, 6));
    }
    if (path.phase === 'joining') return 'the first message is missing';
    if (type === RECORD.close) {
      const code = body.toString('latin1');
      this.#options.events.ended(
        isErrorCode(code) ? code : 'ERR_SESSION_CLOSED',
        'the peer closed the session',
      );
      return undefined;
    }
    if (path.phase === 'prepared') return 'data on a path that was not nominated';
    if (type === RECORD.datagram) {
      this.datagram(path, { channelId: body.readUInt32BE(), payload: Buffer.from(body.subarray(4)) });
      return undefined;
    }
    const before = this.#log.acked;
    if (!this.#log.acknowledge(body.readUIntBE(0, 6))) return 'it confirmed what was not sent';
    if (this.#log.acked > before) {
      this.#live?.progressed();
      this.want();
    }
    return undefined;
  }

  violated(path: SessionPath, why: string): void {
    if (path.phase === 'live' || path.phase === 'retired')
      this.#options.events.ended('ERR_SESSION_PROTOCOL', why);
    else path.fail(this.#secret ? 'ERR_SESSION_RESUME' : 'ERR_SESSION_PROTOCOL', why);
  }

  down(path: SessionPath, before: PathPhase, code: ErrorCode, reason: string): void {
    const attachment = this.#paths.get(path);
    this.#forget(path);
    attachment?.done.reject(new AwlError(code, `The path was lost: ${reason}.`));
    attachment?.done.promise.catch(() => {});
    if (before !== 'live') return;
    this.#live = undefined;
    this.#options.events.lost(code, reason);
  }

  // Joining.

  #keys(path: SessionPath): ResumeKeys | undefined {
    return this.#secret && { secret: this.#secret, exporter: path.exporter('path', SECRET_BYTES) };
  }

  #join(path: SessionPath): void {
    const join: Join = {
      resume: this.#secret !== undefined,
      sessionId: this.#options.sessionId,
      epoch: this.#epoch,
      transcript: path.transcript,
      received: this.#received,
      sent: this.#log.end,
    };
    path.send(encodeJoin(join, this.#keys(path), this.#options.role));
  }

  #joined(path: SessionPath, type: number, body: Buffer): string | undefined {
    const attachment = this.#paths.get(path);
    if (path.phase !== 'joining' || !attachment) return 'it joined twice';
    const join = decodeJoin(type, body);
    if (typeof join === 'string') return join;
    const fault = this.#judge(path, join, body, attachment.alone);
    if (fault !== undefined) return fault;
    // A session begins with the first path on which both sides heard of each other.
    if (!join.resume || !this.#secret) this.#secret = path.exporter('resume', SECRET_BYTES);
    path.phase = 'prepared';
    if (this.#options.role === 'controlled' || attachment.hold) attachment.done.resolve();
    return undefined;
  }

  #judge(path: SessionPath, join: Join, body: Buffer, alone: boolean): string | undefined {
    if (!join.sessionId.equals(this.#options.sessionId)) return 'the peer means another session';
    if (!join.transcript.equals(path.transcript)) return 'the signalling was changed on its way';
    const keys = this.#keys(path);
    if (!join.resume) {
      const begun = keys && (this.#log.acked > 0 || this.#received > 0);
      return begun ? 'the peer does not know the session any more' : undefined;
    }
    const other: Role = this.#options.role === 'controlling' ? 'controlled' : 'controlling';
    if (keys && !proves(body, keys, other)) return 'the peer does not know the session';
    const ahead = this.#options.role === 'controlling' ? join.epoch > this.#epoch : join.epoch < this.#epoch;
    const impossible = join.received > this.#log.end || (!keys && join.received > 0);
    const backwards = alone && (join.received < this.#log.acked || join.sent < this.#received);
    return ahead || impossible || backwards ? 'its offsets cannot be' : undefined;
  }

  // Choosing the path.

  #nominate(path: SessionPath): void {
    path.nominatedEpoch = ++this.#epoch;
    path.send(encodeOffset(RECORD.nominate, this.#received, path.nominatedEpoch));
  }

  #nominated(path: SessionPath, epoch: number, received: number): string | undefined {
    if (this.#options.role === 'controlling' || path.phase !== 'prepared') return 'a nomination out of turn';
    if (epoch <= this.#epoch || received > this.#log.end) return 'a nomination that cannot be';
    this.#epoch = epoch;
    path.send(encodeOffset(RECORD.nominated, this.#received, epoch));
    this.#switch(path, received);
    return undefined;
  }

  #followed(path: SessionPath, epoch: number, received: number): string | undefined {
    if (path.nominatedEpoch < 0 || path.phase !== 'prepared')
      return 'an answer to a nomination that was not made';
    if (epoch !== path.nominatedEpoch || received > this.#log.end)
      return 'an answer to a nomination that cannot be';
    // A later nomination has won.
    if (this.#live && this.#live.nominatedEpoch > epoch) return 'another path was chosen';
    this.#switch(path, received);
    return undefined;
  }

  #switch(path: SessionPath, received: number): void {
    const old = this.#live;
    // What the peer confirmed elsewhere in the meantime is not needed again.
    this.#log.rewind(Math.max(received, this.#log.acked));
    this.#live = path;
    path.phase = 'live';
    this.#paths.get(path)?.done.resolve();
    if (old) this.#retire(old);
    this.#options.events.selected(path);
    path.want();
  }

  /** The controlling side ends the old path; the other keeps reading it until then, or until it must be dead. */
  #retire(path: SessionPath): void {
    path.phase = 'retired';
    const end = (): void => {
      this.#forget(path);
      path.close();
    };
    if (this.#options.role === 'controlling') end();
    else this.#retired.set(path, this.#options.clock.schedule(this.#options.limits.stallMs, end));
  }

  #forget(path: SessionPath): void {
    this.#paths.delete(path);
    this.#retired.get(path)?.[Symbol.dispose]();
    this.#retired.delete(path);
  }

  #acknowledge(): void {
    if (this.#received - this.#confirmed >= ACK_BYTES) return this.#sendAck();
    this.#ackTimer ??= this.#options.clock.schedule(ACK_DELAY_MS, () => this.#sendAck());
  }

  #sendAck(): void {
    this.#ackTimer?.[Symbol.dispose]();
    this.#ackTimer = undefined;
    if (!this.#live || this.#received === this.#confirmed) return;
    this.#confirmed = this.#received;
    this.#live.send(encodeOffset(RECORD.ack, this.#received));
  }
}
