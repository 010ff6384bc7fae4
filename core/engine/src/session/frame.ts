/**
 * Frames of the multiplexing: what stands in the session's byte stream. Big-endian; README.md has the table. Streams, offsets and credit
 * follow QUIC's ideas (RFC 9000 §2–4) over a reliable order, so that each event needs one frame and no acknowledgement of its own.
 */
export const FRAME = {
  open: 1,
  data: 2,
  fin: 3,
  reset: 4,
  window: 5,
  blocked: 6,
  sessionWindow: 7,
} as const;

/** Bytes before the variable part, by frame type. */
const HEAD_BYTES = [0, 7, 13, 11, 6, 15, 11, 7] as const;
export const DATA_HEAD_BYTES = 13;

/** A TLS record's payload (RFC 8446 §5.1), and the most data in one frame. */
export const MAX_DATA_BYTES = 16_384;
/** A stream's header as JSON, at most. */
export const MAX_HEADER_BYTES = 1024;
/** No frame but DATA is longer. */
export const MAX_CONTROL_FRAME_BYTES = 7 + MAX_HEADER_BYTES;
/** What a new stream may send before it hears from the receiver. */
export const FIRST_WINDOW_BYTES = 65_536;
/** What a new session may send before it hears from the receiver. */
export const FIRST_SESSION_WINDOW_BYTES = 1024 * 1024;

const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;

export function writeU48(into: Buffer, value: number, at: number): void {
  into.writeUInt16BE(Math.floor(value / 2 ** 32), at);
  into.writeUInt32BE(value % 2 ** 32, at + 2);
}

export function readU48(from: Buffer, at: number): number {
  return from.readUInt16BE(at) * 2 ** 32 + from.readUInt32BE(at + 2);
}

function writeHead(into: Buffer, at: number, type: number, stream: number): number {
  into[at] = type;
  into.writeUInt32BE(stream, at + 1);
  return at + 5;
}

/** Each writes one frame at `at` and returns where it ends. The caller has made sure of the room. */
export const write = {
  open(into: Buffer, at: number, stream: number, header: Buffer): number {
    const next = writeHead(into, at, FRAME.open, stream);
    into.writeUInt16BE(header.length, next);
    return next + 2 + header.copy(into, next + 2);
  },
  /** Only the head: the data follow. */
  data(into: Buffer, at: number, stream: number, offset: number, length: number): number {
    const next = writeHead(into, at, FRAME.data, stream);
    writeU48(into, offset, next);
    into.writeUInt16BE(length, next + 6);
    return next + 8;
  },
  fin(into: Buffer, at: number, stream: number, offset: number): number {
    const next = writeHead(into, at, FRAME.fin, stream);
    writeU48(into, offset, next);
    return next + 6;
  },
  reset(into: Buffer, at: number, stream: number, code: string): number {
    const next = writeHead(into, at, FRAME.reset, stream);
    into[next] = code.length;
    return next + 1 + into.write(code, next + 1, 'latin1');
  },
  window(into: Buffer, at: number, stream: number, delivered: number, windowBytes: number): number {
    const next = writeHead(into, at, FRAME.window, stream);
    writeU48(into, delivered, next);
    into.writeUInt32BE(windowBytes, next + 6);
    return next + 10;
  },
  blocked(into: Buffer, at: number, stream: number, limit: number): number {
    const next = writeHead(into, at, FRAME.blocked, stream);
    writeU48(into, limit, next);
    return next + 6;
  },
  sessionWindow(into: Buffer, at: number, limit: number): number {
    into[at] = FRAME.sessionWindow;
    writeU48(into, limit, at + 1);
    return at + 7;
  },
};

/** What a frame was, to its receiver. Each returns what is wrong with it, or undefined. */
export interface FrameHandler {
  onOpen(stream: number, header: string): string | undefined;
  /** A piece of a DATA frame; `chunk` is a slice of what was pushed. */
  onData(stream: number, offset: number, chunk: Buffer): string | undefined;
  onFin(stream: number, offset: number): string | undefined;
  onReset(stream: number, code: string): string | undefined;
  onWindow(stream: number, delivered: number, windowBytes: number): string | undefined;
  onBlocked(stream: number, limit: number): string | undefined;
  onSessionWindow(limit: number): string | undefined;
}

/** Cuts the session's byte stream into frames. Data pass through as slices, without waiting for the whole frame. */
export class FrameParser {
  readonly #handler: FrameHandler;
  /** A frame's head that is not complete yet, with what is variable in it. */
  readonly #partial = Buffer.allocUnsafeSlow(MAX_CONTROL_FRAME_BYTES);
  #partialBytes = 0;
  #stream = 0;
  #offset = 0;
  #dataLeft = 0;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Takes the next bytes. Returns what is wrong with them, or undefined; after a fault the parser must not be used. */
  push(chunk: Buffer): string | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#dataLeft > 0) {
        const end = Math.min(at + this.#dataLeft, chunk.length);
        const piece = at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end);
        const offset = this.#offset;
        this.#offset += piece.length;
        this.#dataLeft -= piece.length;
        at = end;
        const fault = this.#handler.onData(this.#stream, offset, piece);
        if (fault !== undefined) return fault;
        continue;
      }
      const type = this.#partialBytes > 0 ? this.#partial[0]! : chunk[at]!;
      const headBytes = HEAD_BYTES[type];
      if (!headBytes) return `unknown frame type ${type}`;
      if (this.#partialBytes === 0 && at + headBytes <= chunk.length && type === FRAME.data) {
        const fault = this.#data(chunk, at);
        if (fault !== undefined) return fault;
        at += headBytes;
        continue;
      }
      const needed = this.#needed(headBytes);
      if (typeof needed === 'string') return needed;
      at += this.#fill(chunk, at, needed);
      if (this.#partialBytes < needed) continue;
      const whole = this.#needed(headBytes);
      if (typeof whole === 'string') return whole;
      if (this.#partialBytes < whole) continue;
      this.#partialBytes = 0;
      const fault = this.#frame(type, whole);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  /** How long the frame is that stands in `#partial`: its head, then also its variable part. */
  #needed(headBytes: number): number | string {
    if (this.#partialBytes < headBytes) return headBytes;
    const type = this.#partial[0];
    if (type === FRAME.open) {
      const length = this.#partial.readUInt16BE(5);
      return length > MAX_HEADER_BYTES ? `stream header of ${length} bytes` : headBytes + length;
    }
    return type === FRAME.reset ? headBytes + this.#partial[5]! : headBytes;
  }

  #fill(chunk: Buffer, at: number, needed: number): number {
    const copied = chunk.copy(this.#partial, this.#partialBytes, at, at + needed - this.#partialBytes);
    this.#partialBytes += copied;
    return copied;
  }

  #data(from: Buffer, at: number): string | undefined {
    this.#stream = from.readUInt32BE(at + 1);
    this.#offset = readU48(from, at + 5);
    this.#dataLeft = from.readUInt16BE(at + 11);
    return this.#dataLeft === 0 || this.#dataLeft > MAX_DATA_BYTES
      ? `${this.#dataLeft} bytes in a frame`
      : undefined;
  }

  #frame(type: number, length: number): string | undefined {
    const frame = this.#partial;
    const stream = frame.readUInt32BE(1);
    switch (type) {
      case FRAME.open:
        return this.#handler.onOpen(stream, frame.toString('utf8', 7, length));
      case FRAME.data:
        return this.#data(frame, 0);
      case FRAME.fin:
        return this.#handler.onFin(stream, readU48(frame, 5));
      case FRAME.reset: {
        const code = frame.toString('latin1', 6, length);
        return CODE.test(code) ? this.#handler.onReset(stream, code) : 'reset without a code';
      }
      case FRAME.window:
        return this.#handler.onWindow(stream, readU48(frame, 5), frame.readUInt32BE(11));
      case FRAME.blocked:
        return this.#handler.onBlocked(stream, readU48(frame, 5));
      default:
        return this.#handler.onSessionWindow(readU48(frame, 1));
    }
  }
}
