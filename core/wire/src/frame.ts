import type { ErrorCode } from './errors.ts';
import { StreamReader } from './stream-reader.ts';

/** A frame is a u32 (big-endian) length and that many bytes of JSON. */
export const FRAME_MAX_BYTES = 64 * 1024;
const LENGTH_BYTES = 4;
/** Nesting of objects and arrays. Our own messages need four levels. */
const MAX_DEPTH = 16;

/** A value that was read, or why it was not. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: ErrorCode; readonly detail: string };

/** Refuses, with the reason. */
export function refuse(
  code: ErrorCode,
  detail: string,
): { readonly ok: false; readonly code: ErrorCode; readonly detail: string } {
  return { ok: false, code, detail };
}

/**
 * One value as a frame.
 * @throws RangeError over {@link FRAME_MAX_BYTES}: senders know the sizes of what they send
 */
export function encodeFrame(value: object): Buffer {
  const json = JSON.stringify(value);
  const sizeBytes = Buffer.byteLength(json);
  if (sizeBytes > FRAME_MAX_BYTES) throw new RangeError(`a frame of ${sizeBytes} bytes`);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + sizeBytes);
  frame.writeUInt32BE(sizeBytes, 0);
  frame.write(json, LENGTH_BYTES);
  return frame;
}

/** Cuts a stream into frames' values. Holds at most one incomplete frame. */
export class FrameReader {
  readonly #reader = new StreamReader({
    headerBytes: LENGTH_BYTES,
    sizeOf: (header) => {
      const sizeBytes = header.readUInt32BE(0);
      return sizeBytes <= FRAME_MAX_BYTES ? LENGTH_BYTES + sizeBytes : undefined;
    },
  });
  #broken = false;

  /** Bytes held of a frame that is not complete. */
  get pendingBytes(): number {
    return this.#reader.pendingBytes;
  }

  /**
   * Calls `onValue` with each value that `chunk` completes. After one that is not ok nothing more is read: close the stream.
   */
  push(chunk: Buffer, onValue: (value: Parsed<unknown>) => void): void {
    if (this.#broken) return;
    const followed = this.#reader.push(chunk, (frame) => {
      if (this.#broken) return;
      const value = parseJson(frame.subarray(LENGTH_BYTES));
      this.#broken = !value.ok;
      onValue(value);
    });
    if (followed || this.#broken) return;
    this.#broken = true;
    onValue(refuse('ERR_WIRE_TOO_LARGE', `a message of more than ${FRAME_MAX_BYTES} bytes`));
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** JSON from hostile bytes: strict UTF-8, limited depth. */
export function parseJson(bytes: Buffer): Parsed<unknown> {
  if (!isShallow(bytes)) return refuse('ERR_WIRE_MALFORMED', `more than ${MAX_DEPTH} levels of nesting`);
  try {
    return { ok: true, value: JSON.parse(utf8.decode(bytes)) as unknown };
  } catch {
    return refuse('ERR_WIRE_MALFORMED', 'a message that is not JSON');
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function isShallow(bytes: Buffer): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!;
    if (inString) {
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    // `{` and `[`, then `}` and `]`
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > MAX_DEPTH) return false;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return true;
}
