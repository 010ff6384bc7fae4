import {
  DATA_HEAD_BYTES,
  FIRST_SESSION_WINDOW_BYTES,
  MAX_CONTROL_FRAME_BYTES,
  MAX_DATA_BYTES,
  write,
} from './frame.ts';
import { PENDING_BYTES, type MuxStream } from './mux-stream.ts';
import { BYTES_HEAD_BYTES } from './record.ts';

/** One turn of a stream may need this much beside its data. */
const TURN_BYTES = MAX_CONTROL_FRAME_BYTES + 128;
/** A piece of data smaller than this is not worth a frame of its own just to end with a TLS record. */
const LEAST_PIECE_BYTES = 512;
/** A FIN or BLOCKED frame. */
const TAIL_BYTES = 11;
/** From here on a turn is that of a bulk stream. */
const BULKY_BYTES = 8192;

/**
 * Whose turn it is. Streams that send little now and then stand in one queue, bulk streams in another, and the two take turns: so a key press
 * waits for one frame of a download at most, and no stream starves (the idea of FQ-CoDel's new and old flows, RFC 8290 §4.2).
 */
export class MuxSender {
  readonly #settled: (stream: MuxStream) => void;
  readonly #sparse = new Set<MuxStream>();
  readonly #bulk = new Set<MuxStream>();
  /** Wait for the session's credit. */
  readonly #starved = new Set<MuxStream>();
  #bulkTurn = false;
  #limit = FIRST_SESSION_WINDOW_BYTES;
  #sent = 0;
  #sessionWindow: number | undefined;

  /** @param settled called when a stream's half has ended */
  constructor(settled: (stream: MuxStream) => void) {
    this.#settled = settled;
  }

  /** Payload bytes in frames so far. */
  get sentBytes(): number {
    return this.#sent;
  }

  get wantsToSend(): boolean {
    return this.#sparse.size > 0 || this.#bulk.size > 0 || this.#sessionWindow !== undefined;
  }

  /** Streams in the queues. */
  get waiting(): number {
    return this.#sparse.size + this.#bulk.size + this.#starved.size;
  }

  /** The stream has something to send. Streams open in the order of their first call. */
  add(stream: MuxStream): void {
    if (this.#sparse.has(stream) || this.#bulk.has(stream)) return;
    this.#starved.delete(stream);
    (stream.bulky ? this.#bulk : this.#sparse).add(stream);
  }

  /** The stream has nothing to send any more. */
  remove(stream: MuxStream): void {
    this.#sparse.delete(stream);
    this.#bulk.delete(stream);
    this.#starved.delete(stream);
  }

  /** The peer takes payload up to this offset, over all streams. */
  grantSession(limit: number): void {
    if (limit <= this.#limit) return;
    this.#limit = limit;
    for (const stream of this.#starved) this.#bulk.add(stream);
    this.#starved.clear();
  }

  /** A SESSION_WINDOW frame is due. */
  announceSession(limit: number): void {
    this.#sessionWindow = limit;
  }

  /** Writes frames between the two positions until all is said or the room is used; returns where it ended. */
  pull(into: Buffer, from: number, to: number): number {
    let at = from;
    if (this.#sessionWindow !== undefined) {
      at = write.sessionWindow(into, at, this.#sessionWindow);
      this.#sessionWindow = undefined;
    }
    const recordStart = from - BYTES_HEAD_BYTES;
    while (
      to - at >= TURN_BYTES ||
      (to - at > LEAST_PIECE_BYTES && this.#sparse.size === 0 && this.#bulk.size > 0)
    ) {
      const stream = this.#turn();
      if (!stream) break;
      at = this.#serve(stream, into, at, to, recordStart);
    }
    return at;
  }

  #turn(): MuxStream | undefined {
    this.#bulkTurn = !this.#bulkTurn;
    const first = this.#bulkTurn ? this.#bulk : this.#sparse;
    const queue = first.size > 0 ? first : this.#bulkTurn ? this.#sparse : this.#bulk;
    for (const stream of queue) {
      queue.delete(stream);
      return stream;
    }
    return undefined;
  }

  #serve(stream: MuxStream, into: Buffer, start: number, to: number, recordStart: number): number {
    let at = start;
    if (stream.header) {
      at = write.open(into, at, stream.id, stream.header);
      stream.header = undefined;
    }
    if (stream.resetCode !== undefined) {
      at = write.reset(into, at, stream.id, stream.resetCode);
      stream.resetCode = undefined;
      return at;
    }
    if (stream.windowDue) {
      stream.windowDue = false;
      stream.receiveLimit = stream.delivered + stream.windowBytes;
      at = write.window(into, at, stream.id, stream.delivered, stream.windowBytes);
    }
    if (stream.hasPending) at = this.#data(stream, into, at, to, recordStart);
    if (stream.finWanted && !stream.finSent && !stream.hasPending) {
      if (to - at < TAIL_BYTES) {
        this.add(stream);
        return at;
      }
      at = write.fin(into, at, stream.id, stream.sent);
      stream.finSent = true;
      stream.sink?.finished();
      this.#settled(stream);
    }
    return at;
  }

  #data(stream: MuxStream, into: Buffer, at: number, to: number, recordStart: number): number {
    const credit = Math.min(stream.sendLimit - stream.sent, this.#limit - this.#sent);
    // The frame ends where a TLS record will, so that the receiver gets it in one piece.
    const untilRecordEnd = MAX_DATA_BYTES - ((at + DATA_HEAD_BYTES - recordStart) % MAX_DATA_BYTES);
    const aligned = untilRecordEnd < LEAST_PIECE_BYTES ? MAX_DATA_BYTES : untilRecordEnd;
    const length = Math.min(stream.pendingBytes, credit, aligned, to - at - DATA_HEAD_BYTES);
    let end = at;
    if (length > 0) {
      end = write.data(into, at, stream.id, stream.sent, length);
      end = stream.takePending(into, end, length);
      stream.sent += length;
      this.#sent += length;
      stream.bulky = length >= BULKY_BYTES;
      if (stream.full && stream.pendingBytes < PENDING_BYTES) {
        stream.full = false;
        stream.sink?.roomy();
      }
    }
    if (stream.gone || !stream.hasPending) return end;
    if (stream.sent < stream.sendLimit) {
      if (this.#sent < this.#limit) this.add(stream);
      else this.#starved.add(stream);
    } else if (stream.blockedAt < stream.sendLimit) {
      if (to - end < TAIL_BYTES) {
        this.add(stream);
        return end;
      }
      stream.blockedAt = stream.sendLimit;
      end = write.blocked(into, end, stream.id, stream.sendLimit);
    }
    return end;
  }
}
