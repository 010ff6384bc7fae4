import type { JsonValue } from '@awl/api';
import { FIRST_SESSION_WINDOW_BYTES, FIRST_WINDOW_BYTES, FrameParser, type FrameHandler } from './frame.ts';
import type { SessionLimits } from './limits.ts';
import { MuxSender } from './mux-sender.ts';
import { MuxStream, PENDING_BYTES } from './mux-stream.ts';

/** What the mux tells its session. */
export interface MuxEvents {
  /** The peer opened a stream. Its sink is set before this returns, or it is reset. */
  onOpen(stream: MuxStream, header: JsonValue): void;
  /** There is something to send. Called often. */
  onWant(): void;
}

const MAX_STREAM_ID = 2 ** 32 - 1;

/**
 * The multiplexing: streams over one ordered byte stream, without I/O or time. The peer's bytes go into `receive`, ours come out of `pull`.
 * Memory is bounded by credit (RFC 9000 §4): nothing arrives that was not granted, per stream and over all.
 */
export class Mux implements FrameHandler {
  readonly #limits: SessionLimits;
  readonly #events: MuxEvents;
  readonly #sender = new MuxSender((stream) => this.#settle(stream));
  readonly #parser = new FrameParser(this);
  readonly #streams = new Map<number, MuxStream>();
  /** Ids of streams that the controlling side opens are even, the others odd; each side's rise by two. */
  #nextLocal: number;
  #nextRemote: number;
  #localStreams = 0;
  #received = 0;
  #delivered = 0;
  #receiveLimit = FIRST_SESSION_WINDOW_BYTES;
  #grownBytes = 0;

  constructor(controlling: boolean, limits: SessionLimits, events: MuxEvents) {
    this.#limits = limits;
    this.#events = events;
    this.#nextLocal = controlling ? 0 : 1;
    this.#nextRemote = controlling ? 1 : 0;
    this.#grantSession();
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Payload bytes that went into frames. */
  get sentBytes(): number {
    return this.#sender.sentBytes;
  }

  /** Payload bytes received. */
  get receivedBytes(): number {
    return this.#received;
  }

  /** Received bytes that no sink has taken. */
  get queuedBytes(): number {
    return this.#received - this.#delivered;
  }

  get wantsToSend(): boolean {
    return this.#sender.wantsToSend;
  }

  /** Writes frames into the buffer between the two positions, fair between the streams; returns where it ended. */
  pull(into: Buffer, from: number, to: number): number {
    return this.#sender.pull(into, from, to);
  }

  /** Takes the peer's next bytes. Returns what is wrong with them, or undefined. */
  receive(chunk: Buffer): string | undefined {
    return this.#parser.push(chunk);
  }

  /** Opens a stream; undefined when too many are open. */
  open(header: Buffer): MuxStream | undefined {
    if (this.#localStreams >= this.#limits.streams || this.#flooded || this.#nextLocal > MAX_STREAM_ID)
      return undefined;
    const stream = new MuxStream(this.#nextLocal, true);
    this.#nextLocal += 2;
    this.#localStreams++;
    this.#streams.set(stream.id, stream);
    stream.header = header;
    this.#activate(stream);
    return stream;
  }

  /** Sends a chunk on a stream; it must not change any more. False: the next after the sink's `roomy`. */
  write(stream: MuxStream, chunk: Buffer): boolean {
    if (stream.gone || chunk.length === 0) return true;
    stream.addPending(chunk);
    stream.full = stream.pendingBytes >= PENDING_BYTES;
    this.#activate(stream);
    return !stream.full;
  }

  /** Ends our half after what was written. */
  end(stream: MuxStream): void {
    if (stream.gone) return;
    stream.finWanted = true;
    this.#activate(stream);
  }

  /** The sink wants data: what waits, and what comes. */
  resume(stream: MuxStream): void {
    stream.reading = true;
    while (stream.reading) {
      const chunk = stream.dequeue();
      if (!chunk) break;
      this.#hand(stream, chunk);
    }
    this.#deliverFin(stream);
  }

  /** Ends both halves at once, here and at the peer, and drops what waits. */
  reset(stream: MuxStream, code: string): void {
    if (stream.gone) return;
    this.#forget(stream);
    stream.resetCode = code;
    this.#activate(stream);
  }

  /** Tells every stream that the session is over. What was received whole can still be read. */
  close(code: string): void {
    for (const stream of this.#streams.values()) {
      stream.gone = true;
      stream.sink?.ended(code);
    }
    this.#streams.clear();
  }

  // Frames of the peer.

  onOpen(id: number, text: string): string | undefined {
    if (id !== this.#nextRemote) return `stream ${id} opened out of turn`;
    this.#nextRemote += 2;
    if (this.#flooded) return 'too many streams at once';
    let header: JsonValue;
    try {
      header = JSON.parse(text) as JsonValue;
    } catch {
      return 'a stream header is not JSON';
    }
    const stream = new MuxStream(id, false);
    if (this.#streams.size - this.#localStreams >= this.#limits.streams) {
      stream.gone = true;
      stream.resetCode = 'ERR_STREAM_LIMIT';
      this.#activate(stream);
      return undefined;
    }
    this.#streams.set(id, stream);
    this.#events.onOpen(stream, header);
    return undefined;
  }

  onData(id: number, offset: number, chunk: Buffer): string | undefined {
    this.#received += chunk.length;
    if (this.#received > this.#receiveLimit) return 'more data than the session was granted';
    const stream = this.#streams.get(id);
    if (!stream) {
      // It was on its way when we reset the stream.
      this.#took(chunk.length);
      return this.#unlessForgotten(id, 'data');
    }
    if (offset !== stream.received || stream.finReceived)
      return `data at ${offset} of stream ${id}, out of order`;
    stream.received += chunk.length;
    if (stream.received > stream.receiveLimit) return `more data than stream ${id} was granted`;
    if (stream.reading) this.#hand(stream, chunk);
    else stream.enqueue(chunk);
    return undefined;
  }

  onFin(id: number, offset: number): string | undefined {
    const stream = this.#streams.get(id);
    if (!stream) return this.#unlessForgotten(id, 'end');
    if (offset !== stream.received || stream.finReceived)
      return `end at ${offset} of stream ${id}, out of order`;
    stream.finReceived = true;
    this.#deliverFin(stream);
    return undefined;
  }

  onReset(id: number, code: string): string | undefined {
    const stream = this.#streams.get(id);
    if (!stream) return this.#unlessForgotten(id, 'reset');
    this.#forget(stream);
    stream.sink?.ended(code);
    return undefined;
  }

  onWindow(id: number, delivered: number, windowBytes: number): string | undefined {
    const stream = this.#streams.get(id);
    if (!stream) return this.#unlessForgotten(id, 'window');
    if (delivered > stream.sent) return `stream ${id} has delivered more than was sent`;
    stream.sendLimit = Math.max(stream.sendLimit, delivered + windowBytes);
    if (stream.hasPending) this.#activate(stream);
    return undefined;
  }

  onBlocked(id: number, limit: number): string | undefined {
    const stream = this.#streams.get(id);
    if (!stream) return this.#unlessForgotten(id, 'blocked');
    if (limit > stream.receiveLimit) return `stream ${id} is blocked at a limit that it was not given`;
    stream.peerBlocked = true;
    this.#grow(stream);
    return undefined;
  }

  onSessionWindow(limit: number): string | undefined {
    this.#sender.grantSession(limit);
    if (this.#sender.wantsToSend) this.#events.onWant();
    return undefined;
  }

  /** So much waits to be sent that a peer, or our own user, must be opening and resetting without end. */
  get #flooded(): boolean {
    return this.#sender.waiting > 4 * this.#limits.streams;
  }

  #activate(stream: MuxStream): void {
    this.#sender.add(stream);
    this.#events.onWant();
  }

  #unlessForgotten(id: number, what: string): string | undefined {
    const next = id % 2 === this.#nextLocal % 2 ? this.#nextLocal : this.#nextRemote;
    return id < next ? undefined : `${what} of stream ${id}, which is not open`;
  }

  #hand(stream: MuxStream, chunk: Buffer): void {
    stream.delivered += chunk.length;
    this.#took(chunk.length);
    stream.reading = stream.sink?.data(chunk) ?? false;
    // The sink may have reset the stream.
    if (stream.gone) return;
    if (stream.finReceived) return;
    const creditBytes = stream.delivered + stream.windowBytes - stream.receiveLimit;
    if (creditBytes >= stream.windowBytes / 4 && !stream.windowDue) {
      stream.windowDue = true;
      this.#activate(stream);
    }
    if (stream.peerBlocked) this.#grow(stream);
  }

  /** The sender waits although everything was read: the window is less than the path carries in a round trip. */
  #grow(stream: MuxStream): void {
    if (stream.queuedBytes > 0) return;
    stream.peerBlocked = false;
    const growthBytes = Math.min(stream.windowBytes, this.#limits.streamWindowBytes - stream.windowBytes);
    if (growthBytes <= 0 || this.#grownBytes + growthBytes > this.#limits.windowGrowthBytes) return;
    this.#grownBytes += growthBytes;
    stream.windowBytes += growthBytes;
    stream.windowDue = true;
    this.#activate(stream);
  }

  #took(bytes: number): void {
    this.#delivered += bytes;
    this.#grantSession();
  }

  #grantSession(): void {
    const limit = this.#delivered + this.#limits.sessionWindowBytes;
    if (limit - this.#receiveLimit < this.#limits.sessionWindowBytes / 4) return;
    this.#receiveLimit = limit;
    this.#sender.announceSession(limit);
    this.#events.onWant();
  }

  #deliverFin(stream: MuxStream): void {
    if (!stream.finReceived || stream.finDelivered || stream.queuedBytes > 0) return;
    stream.finDelivered = true;
    stream.sink?.fin();
    this.#settle(stream);
  }

  #settle(stream: MuxStream): void {
    if (stream.finSent && stream.finDelivered) this.#forget(stream);
  }

  #forget(stream: MuxStream): void {
    if (stream.gone) return;
    stream.gone = true;
    this.#streams.delete(stream.id);
    if (stream.local) this.#localStreams--;
    // One that the peer has not heard of keeps its place: streams open in the order of their ids.
    if (!stream.header) this.#sender.remove(stream);
    this.#grownBytes -= stream.windowBytes - FIRST_WINDOW_BYTES;
    const unreadBytes = stream.queuedBytes;
    stream.drop();
    if (unreadBytes > 0) this.#took(unreadBytes);
  }
}
