/**
 * Records: what stands in a path's TLS stream. Type (u8), length of the body (u24), body; big-endian; README.md has the table. BYTES carries
 * the session's byte stream with its offset, so that it means the same on any path; the others concern the path they come by.
 */
export const RECORD = {
  hello: 0x10,
  resume: 0x11,
  nominate: 0x12,
  nominated: 0x13,
  ack: 0x14,
  ping: 0x15,
  pong: 0x16,
  datagram: 0x17,
  close: 0x18,
  bytes: 0x20,
} as const;

export const RECORD_HEAD_BYTES = 4;
/** Head of a BYTES record, with the offset. */
export const BYTES_HEAD_BYTES = 10;
const OFFSET_BYTES = 6;
/** A UDP payload at most, and the channel it belongs to. */
const MAX_DATAGRAM_BYTES = 65_535 + 4;
const MAX_BYTES_BODY = 65_536;

/** Bodies may have so many bytes, by type; [least, most]. */
const BODY_BYTES: { readonly [type: number]: readonly [number, number] } = {
  [RECORD.hello]: [98, 98],
  [RECORD.resume]: [98, 98],
  [RECORD.nominate]: [10, 10],
  [RECORD.nominated]: [10, 10],
  [RECORD.ack]: [6, 6],
  [RECORD.ping]: [4, 4],
  [RECORD.pong]: [4, 4],
  [RECORD.datagram]: [4, MAX_DATAGRAM_BYTES],
  [RECORD.close]: [1, 64],
  [RECORD.bytes]: [OFFSET_BYTES + 1, MAX_BYTES_BODY],
};

/** One record with this body. */
export function encodeRecord(type: number, ...body: readonly Uint8Array[]): Buffer {
  const head = Buffer.allocUnsafe(RECORD_HEAD_BYTES);
  head[0] = type;
  head.writeUIntBE(
    body.reduce((sum, part) => sum + part.length, 0),
    1,
    3,
  );
  return Buffer.concat([head, ...body]);
}

/** A body of one 48-bit offset, behind an optional 32-bit number. */
export function encodeOffset(type: number, offset: number, number?: number): Buffer {
  const record = Buffer.alloc(RECORD_HEAD_BYTES + (number === undefined ? 0 : 4) + OFFSET_BYTES);
  record[0] = type;
  record.writeUIntBE(record.length - RECORD_HEAD_BYTES, 1, 3);
  if (number !== undefined) record.writeUInt32BE(number, RECORD_HEAD_BYTES);
  record.writeUIntBE(offset, record.length - OFFSET_BYTES, OFFSET_BYTES);
  return record;
}

/** A body of one 32-bit number. */
export function encodeNumber(type: number, number: number): Buffer {
  const body = Buffer.allocUnsafe(4);
  body.writeUInt32BE(number);
  return encodeRecord(type, body);
}

/** What a record was. Each returns what is wrong with it, or undefined. */
export interface RecordHandler {
  /** A whole record; `body` is valid during the call. */
  record(type: number, body: Buffer): string | undefined;
  /** A piece of a BYTES record: the session's bytes from `offset` on, a slice of what was pushed. */
  bytes(offset: number, chunk: Buffer): string | undefined;
}

/** Cuts a path's stream into records. BYTES pass through as slices; all else is small and waits until it is whole. */
export class RecordParser {
  readonly #handler: RecordHandler;
  #partial = Buffer.allocUnsafe(128);
  #partialBytes = 0;
  #offset = 0;
  #bytesLeft = 0;

  constructor(handler: RecordHandler) {
    this.#handler = handler;
  }

  /** Takes the next bytes. Returns what is wrong with them, or undefined; after a fault the parser must not be used. */
  push(chunk: Buffer): string | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bytesLeft > 0) {
        const end = Math.min(at + this.#bytesLeft, chunk.length);
        const offset = this.#offset;
        this.#offset += end - at;
        this.#bytesLeft -= end - at;
        const whole = at === 0 && end === chunk.length;
        const fault = this.#handler.bytes(offset, whole ? chunk : chunk.subarray(at, end));
        if (fault !== undefined) return fault;
        at = end;
        continue;
      }
      const needed = this.#needed();
      if (typeof needed === 'string') return needed;
      at += this.#fill(chunk, at, needed);
      if (this.#partialBytes < needed) return undefined;
      const fault = this.#complete();
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  /** Bytes to have in `#partial` for the next step: the head, then what the type needs. */
  #needed(): number | string {
    if (this.#partialBytes < RECORD_HEAD_BYTES) return RECORD_HEAD_BYTES;
    const type = this.#partial[0]!;
    return type === RECORD.bytes ? BYTES_HEAD_BYTES : RECORD_HEAD_BYTES + this.#partial.readUIntBE(1, 3);
  }

  #fill(chunk: Buffer, at: number, needed: number): number {
    if (needed > this.#partial.length) {
      const larger = Buffer.allocUnsafe(needed);
      this.#partial.copy(larger, 0, 0, this.#partialBytes);
      this.#partial = larger;
    }
    const copied = chunk.copy(this.#partial, this.#partialBytes, at, at + needed - this.#partialBytes);
    this.#partialBytes += copied;
    return copied;
  }

  /** A step is complete: the head, or the whole record. */
  #complete(): string | undefined {
    const type = this.#partial[0]!;
    const length = this.#partial.readUIntBE(1, 3);
    if (this.#partialBytes === RECORD_HEAD_BYTES) {
      const range = BODY_BYTES[type];
      if (!range) return `unknown record type ${type}`;
      return length < range[0] || length > range[1] ? `record ${type} of ${length} bytes` : undefined;
    }
    this.#partialBytes = 0;
    if (type === RECORD.bytes) {
      this.#offset = this.#partial.readUIntBE(RECORD_HEAD_BYTES, OFFSET_BYTES);
      this.#bytesLeft = length - OFFSET_BYTES;
      return undefined;
    }
    const body = this.#partial.subarray(RECORD_HEAD_BYTES, RECORD_HEAD_BYTES + length);
    if (this.#partial.length > 4096) this.#partial = Buffer.allocUnsafe(128);
    return this.#handler.record(type, body);
  }
}
