import { createCipheriv, createDecipheriv } from 'node:crypto';
import { ReplayWindow } from './replay-window.ts';

const KEY_BYTES = 32;
const IV_BYTES = 12;
const COUNTER_BYTES = 8;
const CHANNEL_BYTES = 4;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/** What sealing adds to a payload, the channel's number included. */
export const DATAGRAM_OVERHEAD_BYTES = COUNTER_BYTES + CHANNEL_BYTES + TAG_BYTES;
/** Key material for both directions. */
export const DATAGRAM_SECRET_BYTES = 2 * (KEY_BYTES + IV_BYTES);
/** The largest payload: what fits into a UDP datagram. */
export const MAX_DATAGRAM_PAYLOAD_BYTES = 65_507;

/** A datagram that was opened. */
export interface OpenedDatagram {
  readonly channelId: number;
  readonly payload: Buffer;
}

/**
 * Seals and opens a path's unreliable datagrams: counter (u64), then channel (u32) and payload under AES-256-GCM, tag. The nonce is the
 * counter over a secret IV as in RFC 8446 §5.3. The keys come from the path's own TLS, one per direction, so a datagram means nothing on
 * another path and cannot be sent back to its sender.
 */
export class DatagramSeal {
  readonly #sendKey: Buffer;
  readonly #sendIv: Buffer;
  readonly #receiveKey: Buffer;
  readonly #receiveIv: Buffer;
  readonly #seen = new ReplayWindow();
  readonly #nonce = Buffer.alloc(IV_BYTES);
  #counter = 0;

  /** @param secret {@link DATAGRAM_SECRET_BYTES} bytes that both sides export from TLS */
  constructor(secret: Buffer, controlling: boolean) {
    const half = KEY_BYTES + IV_BYTES;
    const mine = controlling ? secret.subarray(0, half) : secret.subarray(half);
    const theirs = controlling ? secret.subarray(half) : secret.subarray(0, half);
    this.#sendKey = mine.subarray(0, KEY_BYTES);
    this.#sendIv = mine.subarray(KEY_BYTES);
    this.#receiveKey = theirs.subarray(0, KEY_BYTES);
    this.#receiveIv = theirs.subarray(KEY_BYTES);
  }

  /** @param headroomBytes left free at the start, for what carries the datagram */
  seal(channelId: number, payload: Uint8Array, headroomBytes = 0): Buffer {
    const whole = Buffer.allocUnsafe(headroomBytes + payload.length + DATAGRAM_OVERHEAD_BYTES);
    const datagram = whole.subarray(headroomBytes);
    datagram.writeBigUInt64BE(BigInt(this.#counter++));
    const cipher = createCipheriv(CIPHER, this.#sendKey, this.#nonceFor(this.#sendIv, datagram));
    const plain = Buffer.allocUnsafe(CHANNEL_BYTES + payload.length);
    plain.writeUInt32BE(channelId);
    plain.set(payload, CHANNEL_BYTES);
    datagram.set(cipher.update(plain), COUNTER_BYTES);
    cipher.final();
    datagram.set(cipher.getAuthTag(), datagram.length - TAG_BYTES);
    return whole;
  }

  /** Undefined for what is forged, damaged, repeated or too old. */
  open(datagram: Uint8Array): OpenedDatagram | undefined {
    if (datagram.length < DATAGRAM_OVERHEAD_BYTES) return undefined;
    const sealed = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength);
    const wide = sealed.readBigUInt64BE();
    if (wide > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
    const counter = Number(wide);
    if (!this.#seen.accepts(counter)) return undefined;
    const decipher = createDecipheriv(CIPHER, this.#receiveKey, this.#nonceFor(this.#receiveIv, sealed));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const plain = decipher.update(sealed.subarray(COUNTER_BYTES, -TAG_BYTES));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    this.#seen.mark(counter);
    return { channelId: plain.readUInt32BE(), payload: plain.subarray(CHANNEL_BYTES) };
  }

  #nonceFor(iv: Buffer, datagram: Buffer): Buffer {
    iv.copy(this.#nonce);
    const at = IV_BYTES - COUNTER_BYTES;
    for (let i = 0; i < COUNTER_BYTES; i++) this.#nonce[at + i]! ^= datagram[i]!;
    return this.#nonce;
  }
}
