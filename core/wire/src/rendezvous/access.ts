import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Bytes taken from the TLS exporter for an access proof. */
export const ACCESS_EXPORTER_BYTES = 32;

/** A key for access to a rendezvous, 160 bits: a proof made with it can't be searched for by who saw it. */
export function makeAccessKey(): string {
  return randomBytes(20).toString('base64url');
}

/**
 * Proves that one has the access key, without sending it: an HMAC over the exporter of this TLS connection, so that it is worth nothing on
 * another one.
 */
export function accessProof(accessKey: string, exporter: Uint8Array): string {
  return createHmac('sha256', accessKey)
    .update('awl rendezvous access v1\0')
    .update(exporter)
    .digest('base64url');
}

/** Compares in constant time. */
export function verifyAccessProof(accessKey: string, exporter: Uint8Array, proof: string): boolean {
  const expected = Buffer.from(accessProof(accessKey, exporter));
  const given = Buffer.from(proof);
  return expected.length === given.length && timingSafeEqual(expected, given);
}
