/**
 * The KCP wire format. Every segment has a header of 24 bytes, little-endian, followed by `len` bytes of payload; a datagram holds one
 * or more segments of one conversation:
 *
 * ```text
 * 0        4    5    6      8        12       16       20       24
 * | conv   |cmd |frg | wnd  | ts     | sn     | una    | len    | payload
 * ```
 *
 * `conv`, `ts`, `sn` and `una` are 32-bit and wrap around. Inside kcp-ts they are *signed* 32-bit integers, which V8 keeps unboxed; only
 * their differences, taken modulo 2³², mean anything.
 */

/** Bytes of a segment's header. */
export const HEADER_BYTES = 24;

/** A segment with payload. */
export const CMD_PUSH = 81;
/** Acknowledges the segment `sn`, echoing its `ts`. */
export const CMD_ACK = 82;
/** Asks for the peer's window (zero-window probe). */
export const CMD_WASK = 83;
/** Tells the window. */
export const CMD_WINS = 84;

/** Smallest datagram that KCP may be told to use, bytes. */
export const MIN_MTU_BYTES = 50;
/** Largest payload of a UDP datagram over IPv4, bytes. */
export const MAX_MTU_BYTES = 65_507;
/** Largest window that the wire can tell, segments. */
export const MAX_WINDOW = 65_535;

/** `a - b` modulo 2³², as a signed number: negative when `a` comes before `b`. */
export function diff32(a: number, b: number): number {
  return (a - b) | 0;
}

/** Reads 32 bits, little-endian, as a signed integer. */
export function readInt32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Reads 16 bits, little-endian, unsigned. */
export function readUint16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Writes a segment's header at `at`. */
export function writeHeader(
  bytes: Uint8Array,
  at: number,
  conv: number,
  cmd: number,
  frg: number,
  wnd: number,
  ts: number,
  sn: number,
  una: number,
  len: number,
): void {
  writeInt32(bytes, at, conv);
  bytes[at + 4] = cmd;
  bytes[at + 5] = frg;
  bytes[at + 6] = wnd;
  bytes[at + 7] = wnd >>> 8;
  writeInt32(bytes, at + 8, ts);
  writeInt32(bytes, at + 12, sn);
  writeInt32(bytes, at + 16, una);
  writeInt32(bytes, at + 20, len);
}

/** The conversation number of a datagram, unsigned, or undefined when it is too short to be KCP. */
export function conversationOf(datagram: Uint8Array): number | undefined {
  return datagram.length < HEADER_BYTES ? undefined : readInt32(datagram, 0) >>> 0;
}
