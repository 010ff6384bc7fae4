import { createHash } from 'node:crypto';
import type { Clock, JsonValue, Role } from '@awl/api';
import { AwlError, type ErrorCode } from '@awl/wire';
import type { Identity } from '../security/identity.ts';
import { Carrier } from './carrier.ts';
import type { AttachOptions } from './carrier-options.ts';
import { MAX_DATAGRAM_PAYLOAD_BYTES } from './datagram.ts';
import { MAX_HEADER_BYTES } from './frame.ts';
import { SESSION_ID_BYTES } from './join.ts';
import { SESSION_LIMITS, type SessionLimits } from './limits.ts';
import { Mux } from './mux.ts';
import type { PathDescription, SessionPath } from './path.ts';
import { SessionStream } from './stream.ts';

export interface SessionOptions {
  /** Known to both sides, such as the attempt's id; default: made from the transcript. */
  readonly id?: string;
  /** The controlling side is the TLS client, and alone chooses the path. */
  readonly role: Role;
  readonly identity: Identity;
  readonly peer: { readonly peerId: string };
  /** Hash of offer, answer and go. Both sides must have the same, or no path can be attached. */
  readonly transcript: Uint8Array;
  readonly clock: Clock;
  readonly limits?: Partial<SessionLimits>;
}

/** Figures of a session. */
export interface SessionStats {
  /** Payload of streams, both since the beginning. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly streams: number;
  /** Sent and not confirmed by the peer. */
  readonly unackedBytes: number;
  /** Received and not read. */
  readonly unreadBytes: number;
  /** Memory for both. */
  readonly bufferedBytes: number;
  /** Rises with each path. */
  readonly epoch: number;
  readonly path?: PathDescription;
  /** Of the newest ping on the live path. */
  readonly rttMs?: number;
}

/** A path that `attach` has joined to the session. */
export interface AttachedPath {
  readonly describe: PathDescription;
  /** Puts a held path into service; `onPathSelected` tells when the peer has followed. Controlling side only. */
  select(): void;
  /** Gives the path up. */
  close(): void;
}

/**
 * Two peers' authenticated and encrypted connection, which outlives its paths: streams go on at the exact byte on the next path that is
 * attached within {@link SessionLimits.lostMs}.
 */
export class Session implements Disposable {
  readonly id: string;
  readonly role: Role;
  readonly peerId: string;
  /** The peer opened a stream; without a handler it is refused. `header` is what the peer says: check it. */
  onStream: ((stream: SessionStream, header: JsonValue) => void) | null = null;
  /** A datagram of the peer; some get lost or overtake others. */
  onDatagram: ((channelId: number, payload: Buffer) => void) | null = null;
  /** The path in service broke. The session waits for another. */
  onPathLost: ((code: ErrorCode, reason: string) => void) | null = null;
  /** Another path is in service. */
  onPathSelected: ((describe: PathDescription) => void) | null = null;
  /** The session is over. Called once, also after `close`. */
  onClosed: ((code: ErrorCode, reason: string) => void) | null = null;
  readonly #clock: Clock;
  readonly #limits: SessionLimits;
  readonly #mux: Mux;
  readonly #carrier: Carrier;
  #lostTimer: Disposable;
  #closedBy: ErrorCode | undefined;

  constructor(options: SessionOptions) {
    const name = options.id === undefined ? options.transcript : Buffer.from(options.id);
    const sessionId = createHash('sha256')
      .update('awl session\0')
      .update(name)
      .digest()
      .subarray(0, SESSION_ID_BYTES);
    this.id = options.id ?? sessionId.toString('hex');
    this.role = options.role;
    this.peerId = options.peer.peerId;
    this.#clock = options.clock;
    this.#limits = { ...SESSION_LIMITS, ...options.limits };
    this.#carrier = new Carrier({
      role: options.role,
      identity: options.identity,
      peerId: this.peerId,
      sessionId,
      // A hash of whatever length becomes one of the length that the first message has.
      transcript: createHash('sha256').update(options.transcript).digest(),
      clock: options.clock,
      limits: this.#limits,
      events: {
        receive: (chunk) => this.#mux.receive(chunk),
        pull: (into, from, to) => this.#mux.pull(into, from, to),
        selected: (path) => this.#selected(path),
        lost: (code, reason) => this.#lost(code, reason),
        datagram: ({ channelId, payload }) => this.onDatagram?.(channelId, payload),
        ended: (code, reason) => this.#end(code, reason),
      },
    });
    this.#mux = new Mux(options.role === 'controlling', this.#limits, {
      onWant: () => this.#carrier.want(),
      onOpen: (stream, header) => {
        const opened = new SessionStream(this.#mux, stream);
        if (this.onStream) this.onStream(opened, header);
        else opened.reset('ERR_STREAM_RESET');
      },
    });
    this.#lostTimer = this.#awaitPath();
  }

  /** The code that the session was closed with. */
  get closed(): ErrorCode | undefined {
    return this.#closedBy;
  }

  /** The path in service, if there is one. */
  get path(): PathDescription | undefined {
    return this.#carrier.live?.description;
  }

  /** True when a new path (or the same way again) should be attached, because the live path's keys are old. */
  get needsRekey(): boolean {
    const live = this.#carrier.live;
    if (!live) return false;
    const mostBytes = Math.max(live.sentBytes, live.receivedBytes);
    return mostBytes >= this.#limits.rekeyBytes || this.#clock.now() - live.since >= this.#limits.rekeyMs;
  }

  /**
   * Makes a path part of the session: TLS 1.3 with both identities proved, then HELLO or RESUME. On the controlling side it resolves when the
   * path is in service (with `hold`: when it could be); on the other, when the path is ready to be nominated. The duplex belongs to the
   * session from the call on, and is destroyed when this fails.
   *
   * Rejects with `ERR_TLS_PEER` (the other end is not the peer), `ERR_SESSION_PROTOCOL` (version, changed signalling), `ERR_SESSION_RESUME`
   * (it does not fit this session), `ERR_PATH_LOST`, `ERR_SESSION_CLOSED`, or the signal's reason. The session itself goes on.
   */
  async attach(options: AttachOptions, signal?: AbortSignal): Promise<AttachedPath> {
    const transcript = options.transcript && createHash('sha256').update(options.transcript).digest();
    const path = await this.#carrier.attach({ ...options, ...(transcript && { transcript }) }, signal);
    return {
      describe: path.description,
      select: () => this.#carrier.select(path),
      close: () => path.fail('ERR_PATH_LOST', 'it was given up'),
    };
  }

  /**
   * Opens a stream; also without a path, to begin when there is one. `header` tells the peer what it is for: at most 1 KiB as JSON. A stream
   * that cannot be opened is destroyed at once with `ERR_STREAM_LIMIT` or the code that the session was closed with.
   */
  openStream(header: JsonValue): SessionStream {
    const bytes = Buffer.from(JSON.stringify(header));
    if (bytes.length > MAX_HEADER_BYTES) throw new RangeError(`stream header of ${bytes.length} bytes`);
    const opened = this.#closedBy === undefined ? this.#mux.open(bytes) : undefined;
    const stream = new SessionStream(this.#mux, opened);
    if (!opened) stream.destroy(new AwlError(this.#closedBy ?? 'ERR_STREAM_LIMIT'));
    return stream;
  }

  /** Sends a datagram that may get lost. False when it was dropped here: no path, or too many wait. */
  sendDatagram(channelId: number, payload: Uint8Array): boolean {
    if (payload.length > MAX_DATAGRAM_PAYLOAD_BYTES) return false;
    return this.#carrier.live?.sendDatagram(channelId, payload) ?? false;
  }

  /** The largest payload that goes as an unreliable datagram on the live path; larger ones go over its stream. */
  get maxDatagramBytes(): number {
    return this.#carrier.live?.maxDatagramBytes ?? 0;
  }

  /** Round trip on the live path, milliseconds. Rejects with `ERR_PATH_LOST` when there is none, or it breaks. */
  ping(): Promise<number> {
    return this.#carrier.live?.ping() ?? Promise.reject(new AwlError('ERR_PATH_LOST'));
  }

  stats(): SessionStats {
    const { live, unackedBytes, heldBytes, epoch } = this.#carrier;
    const { sentBytes, receivedBytes, streams, queuedBytes } = this.#mux;
    return {
      sentBytes,
      receivedBytes,
      streams,
      unackedBytes,
      unreadBytes: queuedBytes,
      bufferedBytes: heldBytes + queuedBytes,
      epoch,
      ...(live && { path: live.description }),
      ...(live?.rttMs !== undefined && { rttMs: live.rttMs }),
    };
  }

  /** Ends the session; the peer is told. Streams that are not done fail with this code. */
  close(code: ErrorCode = 'ERR_SESSION_CLOSED'): void {
    this.#end(code, 'it was closed here');
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #selected(path: SessionPath): void {
    this.#lostTimer[Symbol.dispose]();
    this.onPathSelected?.(path.description);
  }

  #lost(code: ErrorCode, reason: string): void {
    this.#lostTimer[Symbol.dispose]();
    this.#lostTimer = this.#awaitPath();
    this.onPathLost?.(code, reason);
  }

  #awaitPath(): Disposable {
    return this.#clock.schedule(this.#limits.lostMs, () =>
      this.#end('ERR_SESSION_LOST', 'no path came back in time'),
    );
  }

  #end(code: ErrorCode, reason: string): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = code;
    this.#lostTimer[Symbol.dispose]();
    this.#carrier.close(code);
    this.#mux.close(code);
    this.onClosed?.(code, reason);
  }
}

/** A session without a path yet. */
export function createSession(options: SessionOptions): Session {
  return new Session(options);
}
