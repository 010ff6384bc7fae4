import { createPrivateKey, createPublicKey, randomBytes, sign, verify, type KeyObject } from 'node:crypto';
import type { Random } from '@awl/api';
import { AwlError, makeCertificate, peerIdOf } from '@awl/wire';

/** What is known of a peer's keys once they are proved: enough to seal to it and to verify what it signed. */
export interface PublicIdentity {
  readonly peerId: string;
  /** DER SubjectPublicKeyInfo of the Ed25519 key. */
  readonly spki: Buffer;
  /** Raw X25519 public key, 32 bytes. */
  readonly sealKey: Buffer;
}

/** The keys of this node. */
export interface Identity extends PublicIdentity {
  /** Ed25519: signs, and proves the identity in TLS. */
  readonly privateKey: KeyObject;
  /** X25519: opens what is sealed to us. */
  readonly sealPrivateKey: KeyObject;
  /** Ed25519 signature over the seal key. */
  readonly sealSignature: Buffer;
  /** PKCS #8 of the Ed25519 key, for TLS. */
  readonly keyPem: string;
  readonly certificatePem: string;
}

/** The public part as others tell it: base64url, not yet proved. */
export interface IdentityRecord {
  readonly peerId: string;
  readonly spki: string;
  readonly sealKey: string;
  readonly sealSignature: string;
}

/** RFC 8410 §7 and §4: what stands before the 32 raw bytes. */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');
const RAW_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

const SEAL_KEY_LABEL = Buffer.from('awl seal key v1\0');
const KEY_FILE_MAX_BYTES = 4096;
const KEY_FILE_TITLE = '# The identity of this awl node. Whoever has this file can pose as this machine.\n';

/** An X25519 key from its 32 raw secret bytes. */
export function x25519PrivateKey(raw: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_X25519, raw]), format: 'der', type: 'pkcs8' });
}

/** An X25519 public key from its 32 raw bytes. */
export function x25519PublicKey(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_X25519, raw]), format: 'der', type: 'spki' });
}

/** The 32 raw bytes of an X25519 public key, or of the public half of a private one. */
export function rawX25519(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_X25519.length);
}

/** An Ed25519 public key from its SubjectPublicKeyInfo; undefined unless it is exactly that. */
export function ed25519PublicKey(spki: Uint8Array): KeyObject | undefined {
  if (spki.length !== SPKI_ED25519.length + RAW_KEY_BYTES) return undefined;
  if (!SPKI_ED25519.equals(spki.subarray(0, SPKI_ED25519.length))) return undefined;
  return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
}

function identityFrom(privateKey: KeyObject, sealPrivateKey: KeyObject): Identity {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const sealKey = rawX25519(sealPrivateKey);
  return {
    peerId: peerIdOf(spki),
    privateKey,
    spki,
    sealPrivateKey,
    sealKey,
    sealSignature: sign(null, Buffer.concat([SEAL_KEY_LABEL, sealKey]), privateKey),
    keyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    certificatePem: makeCertificate(privateKey).pem,
  };
}

/** A new identity; from a seeded source the same one each time, for tests. */
export function createIdentity(random: Pick<Random, 'bytes'> = { bytes: randomBytes }): Identity {
  const seed = Buffer.concat([PKCS8_ED25519, random.bytes(RAW_KEY_BYTES)]);
  return identityFrom(
    createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' }),
    x25519PrivateKey(random.bytes(RAW_KEY_BYTES)),
  );
}

/** The content of the key file: both private keys as PEM. */
export function encodeIdentity(identity: Identity): string {
  const seal = identity.sealPrivateKey.export({ format: 'pem', type: 'pkcs8' });
  return KEY_FILE_TITLE + identity.keyPem + seal;
}

/** The identity in a key file. Throws `ERR_KEY_FILE`. */
export function decodeIdentity(text: string): Identity {
  if (text.length > KEY_FILE_MAX_BYTES) throw new AwlError('ERR_KEY_FILE', 'The key file is too large.');
  const blocks = text.match(/-----BEGIN PRIVATE KEY-----[^-]*-----END PRIVATE KEY-----/g) ?? [];
  const keys = blocks.map((pem) => {
    try {
      return createPrivateKey(pem);
    } catch (cause) {
      throw new AwlError('ERR_KEY_FILE', 'The key file is damaged: a key in it cannot be read.', { cause });
    }
  });
  const [privateKey, sealPrivateKey] = keys;
  if (!privateKey || !sealPrivateKey || keys.length !== 2) {
    throw new AwlError('ERR_KEY_FILE', `The key file should hold 2 private keys and holds ${keys.length}.`);
  }
  if (privateKey.asymmetricKeyType !== 'ed25519' || sealPrivateKey.asymmetricKeyType !== 'x25519') {
    throw new AwlError('ERR_KEY_FILE', 'The key file should hold an Ed25519 and an X25519 key.');
  }
  return identityFrom(privateKey, sealPrivateKey);
}

/** The public part of an identity, as it is registered at a rendezvous. */
export function identityRecord(identity: Identity): IdentityRecord {
  return {
    peerId: identity.peerId,
    spki: identity.spki.toString('base64url'),
    sealKey: identity.sealKey.toString('base64url'),
    sealSignature: identity.sealSignature.toString('base64url'),
  };
}

/**
 * The proved keys of a record: the peer id is the hash of the key, and the key signed the seal key. Undefined for anything else, such as
 * a seal key that a rendezvous put in the place of the peer's.
 */
export function verifyPublicIdentity(record: IdentityRecord): PublicIdentity | undefined {
  const spki = Buffer.from(record.spki, 'base64url');
  const sealKey = Buffer.from(record.sealKey, 'base64url');
  const signature = Buffer.from(record.sealSignature, 'base64url');
  if (sealKey.length !== RAW_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return undefined;
  const key = ed25519PublicKey(spki);
  if (!key || peerIdOf(spki) !== record.peerId) return undefined;
  if (!verify(null, Buffer.concat([SEAL_KEY_LABEL, sealKey]), key, signature)) return undefined;
  return { peerId: record.peerId, spki, sealKey };
}
