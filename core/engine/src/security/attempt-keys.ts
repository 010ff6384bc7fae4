import { createHash, hkdfSync } from 'node:crypto';

/** Which of the two messages this side sent. */
export type SignalRole = 'offerer' | 'answerer';

/** What one side sends with and the other receives with. */
export interface Directed {
  readonly send: Buffer;
  readonly receive: Buffer;
}

/** The keys of one attempt, from this side's view. */
export interface AttemptKeys {
  /** MESSAGE-INTEGRITY keys of checks, 32 bytes: a request goes under its sender's, and its response under the same. */
  readonly check: Directed;
  /** What each KCP datagram begins with, 8 bytes. */
  readonly kcpToken: Directed;
  /** What each unreliable datagram begins with, 8 bytes. */
  readonly datagramToken: Directed;
  /** Of offer, answer and go, 32 bytes: said again inside the session, so that no downgrade goes unseen. */
  readonly transcriptHash: Buffer;
}

/** Hashes and random values are base64url, as the messages carry them. */
export interface AttemptKeyMaterial {
  readonly role: SignalRole;
  readonly offererId: string;
  readonly answererId: string;
  /** `random` of the offer's body. */
  readonly offerRandom: string;
  /** `random` of the answer's body. */
  readonly answerRandom: string;
  readonly offerHash: string;
  readonly answerHash: string;
  readonly goHash: string;
}

const KEY_BYTES = 32;
const TOKEN_BYTES = 8;

/**
 * HKDF-SHA256 (RFC 5869) of both sides' random values, which only the two know, salted with the hash of all three messages and bound to both
 * ids. Each value is its own expansion, so that none tells of another.
 */
export function deriveAttemptKeys(material: AttemptKeyMaterial): AttemptKeys {
  const { role, offererId, answererId } = material;
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');
  const transcriptHash = createHash('sha256')
    .update('awl transcript v1\0')
    .update(bytes(material.offerHash))
    .update(bytes(material.answerHash))
    .update(bytes(material.goHash))
    .digest();
  const secret = Buffer.concat([bytes(material.offerRandom), bytes(material.answerRandom)]);
  const derive = (label: string, length: number): Buffer =>
    Buffer.from(
      hkdfSync(
        'sha256',
        secret,
        transcriptHash,
        `awl attempt v1 ${label} ${offererId} ${answererId}`,
        length,
      ),
    );
  const directed = (make: (sender: SignalRole) => Buffer): Directed => {
    const [send, receive] =
      role === 'offerer' ? (['offerer', 'answerer'] as const) : (['answerer', 'offerer'] as const);
    return { send: make(send), receive: make(receive) };
  };
  return {
    check: directed((sender) => derive(`check ${sender}`, KEY_BYTES)),
    kcpToken: directed((sender) => toToken(derive(`kcp ${sender}`, TOKEN_BYTES))),
    datagramToken: directed((sender) => toToken(derive(`datagram ${sender}`, TOKEN_BYTES))),
    transcriptHash,
  };
}

/** RFC 7983 §7: a first byte of 192–255 belongs to none of STUN, DTLS, TURN channels, RTP. */
function toToken(bytes: Buffer): Buffer {
  bytes[0] = (bytes[0] ?? 0) | 0xc0;
  return bytes;
}
