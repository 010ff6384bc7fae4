import { createHmac, timingSafeEqual } from 'node:crypto';
import { STUN_HEADER_BYTES, type StunMessage } from './message.ts';

/** Whether the message has a MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.6, cut to no less than 16 bytes) that is right under `key`. */
export function verifyIntegrity(message: StunMessage, key: Uint8Array): boolean {
  const { bytes, integrity } = message;
  if (!integrity) return false;
  const value = integrity.offset + 4;
  // The HMAC was made when the message ended with this attribute: FINGERPRINT came after.
  const header = Buffer.from(bytes.subarray(0, STUN_HEADER_BYTES));
  header.writeUInt16BE(value + integrity.sizeBytes - STUN_HEADER_BYTES, 2);
  const digest = createHmac('sha256', key)
    .update(header)
    .update(bytes.subarray(STUN_HEADER_BYTES, integrity.offset))
    .digest();
  return timingSafeEqual(
    digest.subarray(0, integrity.sizeBytes),
    bytes.subarray(value, value + integrity.sizeBytes),
  );
}
