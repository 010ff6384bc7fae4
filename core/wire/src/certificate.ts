import { createHash, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { encodeBase32 } from './base32.ts';

/**
 * Self-signed X.509 certificates for TLS (RFC 5280) with Ed25519 keys (RFC 8410). Only the key in them means anything: peers are known by
 * its hash, so name, serial number and dates are the same for everybody and the certificate follows from the key alone.
 */
export interface Certificate {
  readonly der: Buffer;
  readonly pem: string;
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  // No part of the fixed shape reaches 64 KiB.
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const SEQUENCE = 0x30;
const VERSION_3 = der(0xa0, der(0x02, Buffer.of(2)));
const SERIAL_NUMBER = der(0x02, Buffer.of(1));
/** 1.3.101.112, RFC 8410 §3. */
const ED25519 = der(SEQUENCE, der(0x06, Buffer.of(0x2b, 0x65, 0x70)));
/** CN=awl (2.5.4.3). */
const NAME = der(
  SEQUENCE,
  der(0x31, der(SEQUENCE, der(0x06, Buffer.of(0x55, 0x04, 0x03)), der(0x0c, Buffer.from('awl')))),
);
/** Until the value that RFC 5280 §4.1.2.5 keeps for "no well-defined expiration date". */
const VALIDITY = der(
  SEQUENCE,
  der(0x17, Buffer.from('200101000000Z')),
  der(0x18, Buffer.from('99991231235959Z')),
);

/** The certificate of an Ed25519 private key: the same bytes each time, since Ed25519 signatures are deterministic (RFC 8032). */
export function makeCertificate(privateKey: KeyObject): Certificate {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const signed = der(SEQUENCE, VERSION_3, SERIAL_NUMBER, ED25519, NAME, VALIDITY, NAME, spki);
  const signature = der(0x03, Buffer.of(0), sign(null, signed, privateKey));
  const certificate = der(SEQUENCE, signed, ED25519, signature);
  const lines = certificate.toString('base64').replaceAll(/(.{64})/g, '$1\n');
  return {
    der: certificate,
    pem: `-----BEGIN CERTIFICATE-----\n${lines.trimEnd()}\n-----END CERTIFICATE-----\n`,
  };
}

/** Characters of a peer id: 256 bits in base32. */
export const PEER_ID_LENGTH = 52;
/** The last letter holds one bit. */
const PEER_ID = /^[a-z2-7]{51}[aq]$/;

/** The id of a peer: base32 of SHA-256 of its DER SubjectPublicKeyInfo. */
export function peerIdOf(spki: Uint8Array): string {
  return encodeBase32(createHash('sha256').update(spki).digest());
}

/** True for text in the one spelling of a peer id. */
export function isPeerId(text: string): boolean {
  return PEER_ID.test(text);
}

/** For the eye only; it never decides anything. */
export function shortPeerId(peerId: string): string {
  return `${peerId.slice(0, 4)}-${peerId.slice(4, 8)}`;
}
