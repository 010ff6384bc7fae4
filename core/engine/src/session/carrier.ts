import { AwlError, isErrorCode, type ErrorCode } from '@awl/wire';
import type { AttachOptions, CarrierOptions } from './carrier-options.ts';
import type { OpenedDatagram } from './datagram.ts';
import { decodeJoin, encodeJoin, judgeJoin, proves, type ResumeKeys } from './join.ts';
import { SessionPath, type PathEvents, type PathPhase } from './path.ts';
import { encodeOffset, encodeRecord, RECORD } from './record.ts';
import { PathSet } from './path-set.ts';
import { ReceiveLog } from './receive-log.ts';
import { SendLog } from './send-log.ts';
import { secure } from './tls.ts';

const SECRET_BYTES = 32;

/** As many epochs back a peer may have stayed when paths broke before it heard of the newest. */
const KEPT_SECRETS = 8;

/**
 * Carries a session's two byte streams over whichever path is live, exactly: each byte has an offset, is kept until the peer confirms it, and
 * is sent again on the next path if need be. Only the controlling side chooses the path, by NOMINATE.
 */
export class Carrier implements PathEvents {
  readonly #options: CarrierOptions;
  readonly #log: SendLog;
  readonly #paths: PathSet;
  readonly #closing = new AbortController();
  #live: SessionPath | undefined;
  /** Of the newest nomination: sent by the controlling side, followed by the other. */
  #epoch = 0;
  /** Of the newest path that came into service; 0 before the first. */
  #servedEpoch = 0;
  /** By epoch, from the TLS of the path nominated then: what a RESUME is proved with. */
  readonly #secrets = new Map<number, Buffer>();
  #handshakes = 0;
  readonly #arrived: ReceiveLog;

  constructor(options: CarrierOptions) {
    this.#options = options;
    this.#paths = new PathSet(options.clock);
    this.#log = new SendLog(options.limits.unackedBytes);
    this.#arrived = new ReceiveLog(options.clock, (received) => {
      this.#live?.send(encodeOffset(RECORD.ack, received));
      return this.#live !== undefined;
    });
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
    if (this.#closing.signal.aborted || this.#handshakes + this.#paths.prepared >= limits.preparedPaths) {
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
      const member = this.#paths.add(path, alone, options.hold ?? false);
      stop.addEventListener('abort', onStop, { once: true });
      this.#join(path);
      if (role === 'controlling' && !member.hold) this.#nominate(path);
      await member.done.promise;
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
    this.#arrived[Symbol.dispose]();
    this.#paths.close(code, encodeRecord(RECORD.close, Buffer.from(code)));
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
    const fresh = this.#arrived.accept(offset, chunk);
    if (!fresh) return `data at ${offset} after ${this.#arrived.received}`;
    return fresh.length > 0 ? this.#options.events.receive(fresh) : undefined;
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
    else path.fail(this.#servedEpoch > 0 ? 'ERR_SESSION_RESUME' : 'ERR_SESSION_PROTOCOL', why);
  }

  down(path: SessionPath, before: PathPhase, code: ErrorCode, reason: string): void {
    this.#paths.remove(path, code, reason);
    if (before !== 'live') return;
    this.#live = undefined;
    this.#options.events.lost(code, reason);
  }

  // Joining.

  #keys(path: SessionPath, epoch: number): ResumeKeys | undefined {
    const secret = this.#secrets.get(epoch);
    return secret && { secret, exporter: path.exporter('path', SECRET_BYTES) };
  }

  #join(path: SessionPath): void {
    const join = {
      resume: this.#servedEpoch > 0,
      sessionId: this.#options.sessionId,
      epoch: this.#servedEpoch,
      transcript: path.transcript,
      received: this.#arrived.received,
      sent: this.#log.end,
    };
    path.send(encodeJoin(join, this.#keys(path, join.epoch), this.#options.role));
  }

  #joined(path: SessionPath, type: number, body: Buffer): string | undefined {
    const member = this.#paths.get(path);
    if (path.phase !== 'joining' || !member) return 'it joined twice';
    const join = decodeJoin(type, body);
    if (typeof join === 'string') return join;
    const { role, sessionId } = this.#options;
    const keys = this.#keys(path, join.epoch);
    const fault = judgeJoin(join, {
      sessionId,
      transcript: path.transcript,
      begun: this.#servedEpoch > 0,
      proved: keys !== undefined && proves(body, keys, role === 'controlling' ? 'controlled' : 'controlling'),
      received: this.#arrived.received,
      acked: this.#log.acked,
      sent: this.#log.end,
      alone: member.alone,
    });
    if (fault !== undefined) return fault;
    path.phase = 'prepared';
    if (role === 'controlled' || member.hold) member.done.resolve();
    return undefined;
  }

  // Choosing the path.

  #nominate(path: SessionPath): void {
    path.nominatedEpoch = ++this.#epoch;
    this.#keepSecret(path);
    path.send(encodeOffset(RECORD.nominate, this.#arrived.received, path.nominatedEpoch));
  }

  #nominated(path: SessionPath, epoch: number, received: number): string | undefined {
    if (this.#options.role === 'controlling' || path.phase !== 'prepared') return 'a nomination out of turn';
    if (epoch <= this.#epoch || received > this.#log.end) return 'a nomination that cannot be';
    this.#epoch = epoch;
    path.nominatedEpoch = epoch;
    this.#keepSecret(path);
    path.send(encodeOffset(RECORD.nominated, this.#arrived.received, epoch));
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
    this.#servedEpoch = path.nominatedEpoch;
    path.phase = 'live';
    this.#paths.get(path)?.done.resolve();
    // The controlling side ends the old path; the other reads it until then, or until it must be dead.
    if (old) this.#paths.retire(old, this.#options.role === 'controlling' ? 0 : this.#options.limits.stallMs);
    this.#options.events.selected(path);
    path.want();
  }

  #keepSecret(path: SessionPath): void {
    this.#secrets.set(path.nominatedEpoch, path.exporter('resume', SECRET_BYTES));
    for (const epoch of this.#secrets.keys()) {
      if (this.#secrets.size <= KEPT_SECRETS) break;
      if (epoch !== this.#servedEpoch) this.#secrets.delete(epoch);
    }
  }
}
