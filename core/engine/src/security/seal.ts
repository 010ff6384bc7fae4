import { createHash, sign, verify } from 'node:crypto';
import type { JsonValue, Random } from '@awl/api';
import { AwlError } from '@awl/wire';
import { SIGNAL_KINDS, type SignalKind } from '../signal/schemas.ts';
import { hpkeOpen, hpkeSeal } from './hpke.ts';
import { ed25519PublicKey, type Identity, type PublicIdentity } from './identity.ts';

/**
 * Sealed signalling messages. Inside the seal stands a signature over label, both peer ids, kind, nonce, attempt and the hash of the
 * message before, so that whoever carries messages can drop them but not forge, replay, swap or mix them.
 *
 * Plaintext: signature (64) | kind (1) | nonce (16) | attempt id (16) | previous hash (32, zero for none) | body as JSON.
 */
const SEAL_INFO = Buffer.from('awl signal seal v1');
const SIGN_LABEL = Buffer.from('awl signal v1\0');
const SIGNATURE_BYTES = 64;
const NONCE_BYTES = 16;
const ATTEMPT_ID_BYTES = 16;
const HASH_BYTES = 32;
const HEADER_BYTES = 1 + NONCE_BYTES + ATTEMPT_ID_BYTES + HASH_BYTES;

/** Of a sealed message, base64url. */
export const SEALED_MAX_CHARS = 48 * 1024;

export interface MessageToSeal {
  readonly from: Identity;
  readonly to: PublicIdentity;
  readonly kind: SignalKind;
  readonly attemptId: string;
  /** The hash of the message that this one answers. */
  readonly previousHash?: string;
  readonly body: JsonValue;
  readonly random: Pick<Random, 'bytes'>;
}

/** Hashes, nonces and attempt ids are base64url. */
export interface SealedMessage {
  /** base64url, at most {@link SEALED_MAX_CHARS}. */
  readonly sealed: string;
  readonly hash: string;
  readonly nonce: string;
}

export interface OpenedMessage {
  readonly kind: SignalKind;
  readonly attemptId: string;
  /** Undefined where the message begins an exchange. */
  readonly previousHash: string | undefined;
  readonly nonce: string;
  readonly hash: string;
  /** Signed by the sender, and not yet checked against any schema. */
  readonly body: JsonValue;
}

/** What a message must be at its place. */
export interface Expected {
  readonly kind?: SignalKind;
  readonly attemptId?: string;
  /** `null`: it must begin an exchange. */
  readonly previousHash?: string | null;
}

/** A new attempt id: 128 random bits. */
export function newAttemptId(random: Pick<Random, 'bytes'>): string {
  return Buffer.from(random.bytes(ATTEMPT_ID_BYTES)).toString('base64url');
}

function invalid(what: string): AwlError {
  return new AwlError('ERR_SIGNAL_INVALID', `A signalling message was refused: ${what}.`);
}

/** What is signed and hashed: all parts but the last have fixed lengths. */
function signedBytes(from: PublicIdentity, to: PublicIdentity, content: Uint8Array): Buffer {
  return Buffer.concat([SIGN_LABEL, Buffer.from(from.peerId), Buffer.from(to.peerId), content]);
}

function addressed(from: PublicIdentity, to: PublicIdentity): Buffer {
  return Buffer.from(from.peerId + to.peerId);
}

function hashOf(signed: Uint8Array): string {
  return createHash('sha256').update(signed).digest('base64url');
}

/**
 * Seals a message. Throws `ERR_WIRE_TOO_LARGE` when it would be over {@link SEALED_MAX_CHARS}, `ERR_SIGNAL_INVALID` when the recipient's key
 * cannot be sealed to.
 */
export function sealMessage(message: MessageToSeal): SealedMessage {
  const { from, to, random } = message;
  const nonce = Buffer.from(random.bytes(NONCE_BYTES));
  const content = Buffer.concat([
    Buffer.of(SIGNAL_KINDS.indexOf(message.kind)),
    nonce,
    fixed(message.attemptId, ATTEMPT_ID_BYTES),
    message.previousHash === undefined ? Buffer.alloc(HASH_BYTES) : fixed(message.previousHash, HASH_BYTES),
    Buffer.from(JSON.stringify(message.body)),
  ]);
  const signed = signedBytes(from, to, content);
  const plaintext = Buffer.concat([sign(null, signed, from.privateKey), content]);
  const text = sealTo(to, plaintext, addressed(from, to), random).toString('base64url');
  if (text.length > SEALED_MAX_CHARS) throw new AwlError('ERR_WIRE_TOO_LARGE');
  return { sealed: text, hash: hashOf(signed), nonce: nonce.toString('base64url') };
}

function sealTo(
  to: PublicIdentity,
  plaintext: Uint8Array,
  aad: Uint8Array,
  random: Pick<Random, 'bytes'>,
): Buffer {
  try {
    return hpkeSeal(to.sealKey, plaintext, { info: SEAL_INFO, aad, random });
  } catch (cause) {
    // A peer may sign any 32 bytes as its seal key, one of small order too.
    throw new AwlError('ERR_SIGNAL_INVALID', 'The seal key of the peer is not usable.', { cause });
  }
}

function fixed(text: string, length: number): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== length) throw new TypeError(`expected ${length} bytes of base64url`);
  return bytes;
}

/**
 * Opens a message that `sender` sealed to us. Throws `ERR_SIGNAL_INVALID` for all that is not exactly that, or not what is expected.
 * Whether it came before is the business of a {@link ReplayGuard}.
 */
export function openMessage(
  identity: Identity,
  sender: PublicIdentity,
  sealed: string,
  expected: Expected = {},
): OpenedMessage {
  if (sealed.length > SEALED_MAX_CHARS) throw invalid('it is too large');
  if (!/^[A-Za-z0-9_-]+$/.test(sealed)) throw invalid('it is not base64url');
  const plaintext = hpkeOpen(identity.sealPrivateKey, Buffer.from(sealed, 'base64url'), {
    info: SEAL_INFO,
    aad: addressed(sender, identity),
  });
  if (!plaintext) throw invalid('it was not sealed to this node by the peer it names');
  if (plaintext.length < SIGNATURE_BYTES + HEADER_BYTES) throw invalid('it is cut off');
  const content = plaintext.subarray(SIGNATURE_BYTES);
  const signed = signedBytes(sender, identity, content);
  const senderKey = ed25519PublicKey(sender.spki);
  if (!senderKey || !verify(null, signed, senderKey, plaintext.subarray(0, SIGNATURE_BYTES))) {
    throw invalid('its signature is wrong');
  }
  const opened = parse(content, hashOf(signed));
  checkExpected(opened, expected);
  return opened;
}

function parse(content: Buffer, hash: string): OpenedMessage {
  const kind = SIGNAL_KINDS[content[0] ?? SIGNAL_KINDS.length];
  if (kind === undefined) throw invalid('its kind is unknown');
  let at = 1;
  const take = (length: number): Buffer => content.subarray(at, (at += length));
  const nonce = take(NONCE_BYTES).toString('base64url');
  const attemptId = take(ATTEMPT_ID_BYTES).toString('base64url');
  const previous = take(HASH_BYTES);
  const previousHash = previous.some((byte) => byte !== 0) ? previous.toString('base64url') : undefined;
  try {
    const body = JSON.parse(content.subarray(at).toString()) as JsonValue;
    return { kind, attemptId, previousHash, nonce, hash, body };
  } catch (cause) {
    throw new AwlError('ERR_SIGNAL_INVALID', 'A signalling message was refused: its body is not JSON.', {
      cause,
    });
  }
}

/** Throws `ERR_SIGNAL_INVALID` unless the message is what is expected at this place. */
export function checkExpected(opened: OpenedMessage, expected: Expected): void {
  const { kind, attemptId, previousHash } = expected;
  if (kind !== undefined && opened.kind !== kind) throw invalid(`it is of kind ${opened.kind}, not ${kind}`);
  if (attemptId !== undefined && opened.attemptId !== attemptId)
    throw invalid('it belongs to another attempt');
  if (previousHash !== undefined && opened.previousHash !== (previousHash ?? undefined)) {
    throw invalid('it does not follow the message before');
  }
}
