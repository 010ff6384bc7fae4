import { crc32 } from 'node:zlib';
import { formatIp } from '../ip.ts';
import {
  ATTRIBUTE,
  FINGERPRINT_XOR,
  MAGIC_COOKIE,
  MIN_INTEGRITY_BYTES,
  STUN_HEADER_BYTES,
  type StunAddress,
  type StunAttributes,
  type StunClass,
  type StunMessage,
} from './message.ts';

const MAX_UNKNOWN = 16;
const CLASSES: Readonly<Record<number, StunClass>> = {
  0x0001: 'request',
  0x0011: 'indication',
  0x0101: 'response',
  0x0111: 'error',
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Reads one whole packet. Undefined for all that is not a well-formed Binding message: also where an attribute that we know has a wrong
 * size, or FINGERPRINT is wrong. Never throws.
 */
export function decodeStun(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < STUN_HEADER_BYTES) return undefined;
  const stunClass = CLASSES[bytes.readUInt16BE(0)];
  const bodyBytes = bytes.readUInt16BE(2);
  if (stunClass === undefined || bodyBytes % 4 !== 0 || bodyBytes + STUN_HEADER_BYTES !== bytes.length)
    return undefined;
  const transactionId = bytes.subarray(bytes.readUInt32BE(4) === MAGIC_COOKIE ? 8 : 4, STUN_HEADER_BYTES);

  const attributes: Mutable<StunAttributes> = {};
  const unknown: number[] = [];
  let integrity: StunMessage['integrity'];
  let fingerprint = false;
  let sealed = false; // after an integrity attribute, all but the next integrity and FINGERPRINT is ignored (RFC 8489 §14.5)
  let offset = STUN_HEADER_BYTES;
  while (offset < bytes.length) {
    if (fingerprint || offset + 4 > bytes.length) return undefined; // FINGERPRINT is the last (RFC 8489 §14.7)
    const type = bytes.readUInt16BE(offset);
    const sizeBytes = bytes.readUInt16BE(offset + 2);
    const value = offset + 4;
    const end = value + sizeBytes;
    if (end > bytes.length) return undefined;
    switch (type) {
      case ATTRIBUTE.FINGERPRINT:
        if (sizeBytes !== 4 || bytes.readUInt32BE(value) !== fingerprintOf(bytes, offset)) return undefined;
        fingerprint = true;
        break;
      case ATTRIBUTE.MESSAGE_INTEGRITY:
        if (sizeBytes !== 20) return undefined;
        sealed = true;
        break;
      case ATTRIBUTE.MESSAGE_INTEGRITY_SHA256:
        if (sizeBytes < MIN_INTEGRITY_BYTES || sizeBytes > 32 || sizeBytes % 4 !== 0) return undefined;
        integrity ??= { offset, sizeBytes };
        sealed = true;
        break;
      default:
        if (sealed) break;
        switch (readAttribute(attributes, type, bytes, value, sizeBytes)) {
          case 'malformed':
            return undefined;
          case 'unknown':
            if (type < 0x8000 && unknown.length < MAX_UNKNOWN && !unknown.includes(type)) unknown.push(type);
        }
    }
    offset = value + ((sizeBytes + 3) & ~3);
  }
  return { class: stunClass, transactionId, attributes, unknown, fingerprint, integrity, bytes };
}

/** The value that FINGERPRINT at `offset` must have. The header's length must already count it. */
export function fingerprintOf(bytes: Buffer, offset: number): number {
  return (crc32(bytes.subarray(0, offset)) ^ FINGERPRINT_XOR) >>> 0;
}

type Reading = 'ok' | 'unknown' | 'malformed';

/** Of an attribute that comes twice, the first counts (RFC 8489 §14). */
function readAttribute(
  attributes: Mutable<StunAttributes>,
  type: number,
  bytes: Buffer,
  value: number,
  sizeBytes: number,
): Reading {
  switch (type) {
    case ATTRIBUTE.MAPPED_ADDRESS:
      return keepAddress(attributes, 'mappedAddress', bytes, value, sizeBytes, false);
    case ATTRIBUTE.XOR_MAPPED_ADDRESS:
      return keepAddress(attributes, 'xorMappedAddress', bytes, value, sizeBytes, true);
    case ATTRIBUTE.RESPONSE_ORIGIN:
      return keepAddress(attributes, 'responseOrigin', bytes, value, sizeBytes, false);
    case ATTRIBUTE.OTHER_ADDRESS:
      return keepAddress(attributes, 'otherAddress', bytes, value, sizeBytes, false);
    case ATTRIBUTE.SOURCE_ADDRESS:
      return keepAddress(attributes, 'sourceAddress', bytes, value, sizeBytes, false);
    case ATTRIBUTE.CHANGED_ADDRESS:
      return keepAddress(attributes, 'changedAddress', bytes, value, sizeBytes, false);
    case ATTRIBUTE.CHANGE_REQUEST: {
      if (sizeBytes !== 4) return 'malformed';
      const flags = bytes.readUInt32BE(value);
      attributes.changeRequest ??= { changeAddress: (flags & 4) !== 0, changePort: (flags & 2) !== 0 };
      return 'ok';
    }
    case ATTRIBUTE.RESPONSE_PORT:
      if (sizeBytes !== 2 && sizeBytes !== 4) return 'malformed';
      attributes.responsePort ??= bytes.readUInt16BE(value);
      return 'ok';
    case ATTRIBUTE.USERNAME:
      if (sizeBytes > 508) return 'malformed';
      attributes.username ??= bytes.toString('utf8', value, value + sizeBytes);
      return 'ok';
    case ATTRIBUTE.SOFTWARE:
      if (sizeBytes > 763) return 'malformed';
      attributes.software ??= bytes.toString('utf8', value, value + sizeBytes);
      return 'ok';
    case ATTRIBUTE.PRIORITY:
      if (sizeBytes !== 4) return 'malformed';
      attributes.priority ??= bytes.readUInt32BE(value);
      return 'ok';
    case ATTRIBUTE.USE_CANDIDATE:
      if (sizeBytes !== 0) return 'malformed';
      attributes.useCandidate = true;
      return 'ok';
    case ATTRIBUTE.ICE_CONTROLLING:
      if (sizeBytes !== 8) return 'malformed';
      attributes.iceControlling ??= bytes.readBigUInt64BE(value);
      return 'ok';
    case ATTRIBUTE.ICE_CONTROLLED:
      if (sizeBytes !== 8) return 'malformed';
      attributes.iceControlled ??= bytes.readBigUInt64BE(value);
      return 'ok';
    case ATTRIBUTE.ERROR_CODE: {
      if (sizeBytes < 4 || sizeBytes > 4 + 763) return 'malformed';
      const code = (bytes[value + 2]! & 7) * 100 + bytes[value + 3]!;
      if (code < 300 || code > 699 || bytes[value + 3]! > 99) return 'malformed';
      attributes.errorCode ??= { code, reason: bytes.toString('utf8', value + 4, value + sizeBytes) };
      return 'ok';
    }
    case ATTRIBUTE.UNKNOWN_ATTRIBUTES: {
      if (sizeBytes % 2 !== 0) return 'malformed';
      const count = Math.min(sizeBytes / 2, MAX_UNKNOWN);
      attributes.unknownAttributes ??= Array.from({ length: count }, (_, index) =>
        bytes.readUInt16BE(value + index * 2),
      );
      return 'ok';
    }
    case ATTRIBUTE.PADDING:
      attributes.paddingBytes ??= sizeBytes;
      return 'ok';
    // RFC 3489's, known so that they are no error; RESPONSE-ADDRESS would aim our answers at others and is never obeyed.
    case ATTRIBUTE.RESPONSE_ADDRESS:
    case ATTRIBUTE.REFLECTED_FROM:
    case ATTRIBUTE.PASSWORD:
      return 'ok';
    default:
      return 'unknown';
  }
}

type AddressName = {
  [K in keyof StunAttributes]-?: NonNullable<StunAttributes[K]> extends StunAddress ? K : never;
}[keyof StunAttributes];

function keepAddress(
  attributes: Mutable<StunAttributes>,
  name: AddressName,
  bytes: Buffer,
  value: number,
  sizeBytes: number,
  xored: boolean,
): Reading {
  const family = bytes[value + 1];
  if (!(family === 1 && sizeBytes === 8) && !(family === 2 && sizeBytes === 20)) return 'malformed';
  if (attributes[name]) return 'ok';
  let port = bytes.readUInt16BE(value + 2);
  let address: string;
  if (xored) {
    // XORed with the cookie and, for IPv6, the transaction id: both stand in the header from byte 4 (RFC 8489 §14.2).
    port ^= bytes.readUInt16BE(4);
    const plain = Buffer.allocUnsafe(sizeBytes - 4);
    for (let index = 0; index < plain.length; index++)
      plain[index] = bytes[value + 4 + index]! ^ bytes[4 + index]!;
    address = formatIp(plain);
  } else address = formatIp(bytes, value + 4, sizeBytes - 4);
  attributes[name] = { address, port };
  return 'ok';
}
