import { createHmac } from 'node:crypto';
import { parseIp } from '../ip.ts';
import { fingerprintOf } from './decode.ts';
import {
  ATTRIBUTE,
  CLASS_BITS,
  MAGIC_COOKIE,
  STUN_HEADER_BYTES,
  type StunAddress,
  type StunAttributes,
  type StunContent,
} from './message.ts';

export interface StunEncodeOptions {
  /** Adds MESSAGE-INTEGRITY-SHA256 under this key. */
  readonly integrityKey?: Uint8Array;
  /** Adds FINGERPRINT. */
  readonly fingerprint?: boolean;
  /**
   * Adds PADDING so that the packet has at least this many bytes (at most {@link MAX_STUN_BYTES}): so that no answer to it is larger than
   * itself, or to find out whether so large a packet passes.
   */
  readonly padToBytes?: number;
}

/** The largest packet: whole words within what a UDP datagram over IPv4 carries. */
export const MAX_STUN_BYTES = 65_504;

/** Sizes are checked against it once, at the end of each attribute; a packet is copied out of it. */
const scratch = Buffer.alloc(65_536);

/**
 * One Binding message.
 * @throws RangeError for an address that is none or a text that is too long: bugs of the caller
 */
export function encodeStun(content: StunContent, options: StunEncodeOptions = {}): Buffer {
  const { transactionId, attributes } = content;
  if (transactionId.length !== 12 && transactionId.length !== 16) throw new RangeError('transaction id');
  scratch.writeUInt16BE(CLASS_BITS[content.class], 0);
  scratch.writeUInt32BE(MAGIC_COOKIE, 4);
  scratch.set(transactionId, STUN_HEADER_BYTES - transactionId.length);
  let end = attributes ? writeAttributes(attributes) : STUN_HEADER_BYTES;

  if (options.padToBytes !== undefined) {
    if (options.padToBytes > MAX_STUN_BYTES) throw new RangeError('padToBytes');
    const later = (options.integrityKey ? 36 : 0) + (options.fingerprint ? 8 : 0);
    const missing = options.padToBytes - end - later;
    if (missing > 0) end = writePadding(Math.max(0, missing - 4), end);
  }
  if (options.integrityKey) {
    end = writeHeader(ATTRIBUTE.MESSAGE_INTEGRITY_SHA256, 32, end);
    // The length counts up to this attribute's end, the HMAC covers what stands before it (RFC 8489 §14.6).
    scratch.writeUInt16BE(end + 32 - STUN_HEADER_BYTES, 2);
    const digest = createHmac('sha256', options.integrityKey)
      .update(scratch.subarray(0, end - 4))
      .digest();
    end += digest.copy(scratch, end);
  }
  if (options.fingerprint) {
    end = writeHeader(ATTRIBUTE.FINGERPRINT, 4, end);
    scratch.writeUInt16BE(end + 4 - STUN_HEADER_BYTES, 2);
    end = scratch.writeUInt32BE(fingerprintOf(scratch, end - 4), end);
  }
  scratch.writeUInt16BE(end - STUN_HEADER_BYTES, 2);
  return Buffer.from(scratch.subarray(0, end));
}

function writeAttributes(attributes: StunAttributes): number {
  let end = STUN_HEADER_BYTES;
  const a = attributes;
  if (a.mappedAddress) end = writeAddress(ATTRIBUTE.MAPPED_ADDRESS, a.mappedAddress, false, end);
  if (a.xorMappedAddress) end = writeAddress(ATTRIBUTE.XOR_MAPPED_ADDRESS, a.xorMappedAddress, true, end);
  if (a.sourceAddress) end = writeAddress(ATTRIBUTE.SOURCE_ADDRESS, a.sourceAddress, false, end);
  if (a.changedAddress) end = writeAddress(ATTRIBUTE.CHANGED_ADDRESS, a.changedAddress, false, end);
  if (a.responseOrigin) end = writeAddress(ATTRIBUTE.RESPONSE_ORIGIN, a.responseOrigin, false, end);
  if (a.otherAddress) end = writeAddress(ATTRIBUTE.OTHER_ADDRESS, a.otherAddress, false, end);
  if (a.changeRequest) {
    const flags = (a.changeRequest.changeAddress ? 4 : 0) | (a.changeRequest.changePort ? 2 : 0);
    end = scratch.writeUInt32BE(flags, writeHeader(ATTRIBUTE.CHANGE_REQUEST, 4, end));
  }
  if (a.responsePort !== undefined) {
    end = scratch.writeUInt16BE(a.responsePort, writeHeader(ATTRIBUTE.RESPONSE_PORT, 2, end));
    end = scratch.writeUInt16BE(0, end);
  }
  if (a.errorCode) {
    const { code, reason } = a.errorCode;
    const text = Buffer.from(reason, 'utf8');
    if (code < 300 || code > 699 || text.length > 763) throw new RangeError('error code');
    const value = writeHeader(ATTRIBUTE.ERROR_CODE, 4 + text.length, end);
    scratch.writeUInt32BE((Math.floor(code / 100) << 8) | (code % 100), value);
    end = writeBytes(text, value + 4);
  }
  if (a.unknownAttributes) {
    if (a.unknownAttributes.length > 64) throw new RangeError('unknown attributes');
    end = writeHeader(ATTRIBUTE.UNKNOWN_ATTRIBUTES, a.unknownAttributes.length * 2, end);
    for (const type of a.unknownAttributes) end = scratch.writeUInt16BE(type, end);
    if (a.unknownAttributes.length % 2 === 1) end = scratch.writeUInt16BE(0, end);
  }
  if (a.username !== undefined) end = writeText(ATTRIBUTE.USERNAME, a.username, 508, end);
  if (a.priority !== undefined)
    end = scratch.writeUInt32BE(a.priority, writeHeader(ATTRIBUTE.PRIORITY, 4, end));
  if (a.useCandidate) end = writeHeader(ATTRIBUTE.USE_CANDIDATE, 0, end);
  if (a.iceControlling !== undefined)
    end = scratch.writeBigUInt64BE(a.iceControlling, writeHeader(ATTRIBUTE.ICE_CONTROLLING, 8, end));
  if (a.iceControlled !== undefined)
    end = scratch.writeBigUInt64BE(a.iceControlled, writeHeader(ATTRIBUTE.ICE_CONTROLLED, 8, end));
  if (a.software !== undefined) end = writeText(ATTRIBUTE.SOFTWARE, a.software, 763, end);
  if (a.paddingBytes !== undefined) {
    if (a.paddingBytes > 1500) throw new RangeError('padding');
    end = writePadding(a.paddingBytes, end);
  }
  return end;
}

function writeHeader(type: number, sizeBytes: number, at: number): number {
  return scratch.writeUInt16BE(sizeBytes, scratch.writeUInt16BE(type, at));
}

function writeBytes(bytes: Uint8Array, at: number): number {
  scratch.set(bytes, at);
  const padded = (bytes.length + 3) & ~3;
  scratch.fill(0, at + bytes.length, at + padded);
  return at + padded;
}

function writeText(type: number, text: string, maxBytes: number, at: number): number {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > maxBytes) throw new RangeError('text of a STUN attribute');
  return writeBytes(bytes, writeHeader(type, bytes.length, at));
}

function writePadding(sizeBytes: number, at: number): number {
  const padded = (sizeBytes + 3) & ~3;
  const value = writeHeader(ATTRIBUTE.PADDING, padded, at);
  scratch.fill(0, value, value + padded);
  return value + padded;
}

function writeAddress(type: number, { address, port }: StunAddress, xored: boolean, at: number): number {
  const ip = parseIp(address);
  if (!ip) throw new RangeError(`not an IP address: ${address}`);
  let end = writeHeader(type, 4 + ip.length, at);
  end = scratch.writeUInt16BE(ip.length === 4 ? 1 : 2, end);
  end = scratch.writeUInt16BE(xored ? port ^ scratch.readUInt16BE(4) : port, end);
  for (let index = 0; index < ip.length; index++)
    scratch[end + index] = xored ? ip[index]! ^ scratch[4 + index]! : ip[index]!;
  return end + ip.length;
}
