import { createCipheriv, createDecipheriv, createHmac, diffieHellman, type KeyObject } from 'node:crypto';
import type { Random } from '@awl/api';
import { rawX25519, x25519PrivateKey, x25519PublicKey } from './identity.ts';

/**
 * Single-shot HPKE in base mode (RFC 9180 §6.1): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. Whoever has the public key
 * can seal; who did is shown by the signature inside.
 */
const VERSION_LABEL = Buffer.from('HPKE-v1');
/** §7.1: KEM 0x0020. */
const KEM_SUITE = Buffer.from('KEM\x00\x20', 'latin1');
/** §5.1: KEM 0x0020, KDF 0x0001, AEAD 0x0003. */
const HPKE_SUITE = Buffer.from('HPKE\x00\x20\x00\x01\x00\x03', 'latin1');
const MODE_BASE = Buffer.of(0);
const NONE = Buffer.alloc(0);

const ENCAPSULATED_BYTES = 32;
const TAG_BYTES = 16;
/** What sealing adds, bytes. */
export const SEAL_OVERHEAD_BYTES = ENCAPSULATED_BYTES + TAG_BYTES;

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** RFC 9180 §4, LabeledExtract. */
function extract(suite: Uint8Array, salt: Uint8Array, label: string, secret: Uint8Array): Buffer {
  return hmac(salt, VERSION_LABEL, suite, Buffer.from(label), secret);
}

/** RFC 9180 §4, LabeledExpand, for outputs of one block (≤ 32 bytes). */
function expand(suite: Uint8Array, key: Uint8Array, label: string, info: Uint8Array, length: number): Buffer {
  return hmac(
    key,
    Buffer.of(0, length),
    VERSION_LABEL,
    suite,
    Buffer.from(label),
    info,
    Buffer.of(1),
  ).subarray(0, length);
}

/** RFC 9180 §4.1, the key from the Diffie-Hellman value; then §5.1, the key schedule. */
function schedule(
  dh: Uint8Array,
  encapsulated: Uint8Array,
  recipient: Uint8Array,
  info: Uint8Array,
): { key: Buffer; nonce: Buffer } {
  const kemSecret = extract(KEM_SUITE, NONE, 'eae_prk', dh);
  const shared = expand(KEM_SUITE, kemSecret, 'shared_secret', Buffer.concat([encapsulated, recipient]), 32);
  const context = Buffer.concat([
    MODE_BASE,
    extract(HPKE_SUITE, NONE, 'psk_id_hash', NONE),
    extract(HPKE_SUITE, NONE, 'info_hash', info),
  ]);
  const secret = extract(HPKE_SUITE, shared, 'secret', NONE);
  return {
    key: expand(HPKE_SUITE, secret, 'key', context, 32),
    nonce: expand(HPKE_SUITE, secret, 'base_nonce', context, 12),
  };
}

/**
 * Seals to a raw X25519 public key: encapsulated key, ciphertext, tag.
 * Throws for a key that no honest peer has (one of small order, RFC 9180 §7.1.4).
 */
export function hpkeSeal(
  recipient: Uint8Array,
  plaintext: Uint8Array,
  { info, aad, random }: { info: Uint8Array; aad: Uint8Array; random: Pick<Random, 'bytes'> },
): Buffer {
  const privateKey = x25519PrivateKey(random.bytes(ENCAPSULATED_BYTES));
  const encapsulated = rawX25519(privateKey);
  const dh = diffieHellman({ privateKey, publicKey: x25519PublicKey(recipient) });
  const { key, nonce } = schedule(dh, encapsulated, recipient, info);
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  return Buffer.concat([encapsulated, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what {@link hpkeSeal} made; undefined for anything else. */
export function hpkeOpen(
  privateKey: KeyObject,
  sealed: Uint8Array,
  { info, aad }: { info: Uint8Array; aad: Uint8Array },
): Buffer | undefined {
  if (sealed.length < SEAL_OVERHEAD_BYTES) return undefined;
  const encapsulated = sealed.subarray(0, ENCAPSULATED_BYTES);
  const ciphertext = sealed.subarray(ENCAPSULATED_BYTES, sealed.length - TAG_BYTES);
  try {
    const dh = diffieHellman({ privateKey, publicKey: x25519PublicKey(encapsulated) });
    const { key, nonce } = schedule(dh, encapsulated, rawX25519(privateKey), info);
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(aad, { plaintextLength: ciphertext.length });
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    return undefined;
  }
}
