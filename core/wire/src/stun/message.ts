/** STUN (RFC 8489) with the attributes of RFC 5780, those of RFC 8445, and enough of RFC 3489 for old clients. */

/** RFC 8489 §5: the class of a message. */
export type StunClass = 'request' | 'indication' | 'response' | 'error';

/** An address and port, as in `Endpoint`. */
export interface StunAddress {
  readonly address: string;
  readonly port: number;
}

/** RFC 5780 §7.2: where the answer shall come from. */
export interface ChangeRequest {
  readonly changeAddress: boolean;
  readonly changePort: boolean;
}

/** The attributes that are understood. Absent ones are absent. */
export interface StunAttributes {
  readonly mappedAddress?: StunAddress;
  readonly xorMappedAddress?: StunAddress;
  readonly responseOrigin?: StunAddress;
  readonly otherAddress?: StunAddress;
  /** RFC 3489 only. */
  readonly sourceAddress?: StunAddress;
  /** RFC 3489 only. */
  readonly changedAddress?: StunAddress;
  readonly changeRequest?: ChangeRequest;
  /** Read, never obeyed: it would aim our answers at others. RFC 5780 §7.5. */
  readonly responsePort?: number;
  /** At most 508 bytes. */
  readonly username?: string;
  /** At most 763 bytes. */
  readonly software?: string;
  /** RFC 8445 §16.1. */
  readonly priority?: number;
  readonly useCandidate?: true;
  /** The sender is controlling; its tie-breaker, 64 bits. */
  readonly iceControlling?: bigint;
  /** The sender is controlled; its tie-breaker, 64 bits. */
  readonly iceControlled?: bigint;
  readonly errorCode?: { readonly code: number; readonly reason: string };
  /** In an error 420: the attribute types that the other side did not understand. */
  readonly unknownAttributes?: readonly number[];
  /** Bytes of PADDING (RFC 5780 §7.6). To reach a size, use `padToBytes` when encoding. */
  readonly paddingBytes?: number;
}

/** What is encoded. The method is always Binding. */
export interface StunContent {
  readonly class: StunClass;
  /** 12 bytes; or 16 for a message of RFC 3489, which has no magic cookie. */
  readonly transactionId: Uint8Array;
  readonly attributes?: StunAttributes;
}

/** What was decoded. Its buffers are views of the packet. */
export interface StunMessage extends StunContent {
  /** 12 bytes, or 16 for a message without magic cookie (RFC 3489). */
  readonly transactionId: Buffer;
  readonly attributes: StunAttributes;
  /** Comprehension-required attribute types that are not understood, at most 16: a request with any is answered by error 420. */
  readonly unknown: readonly number[];
  /** A correct FINGERPRINT was there; one that is wrong makes the packet undecodable. */
  readonly fingerprint: boolean;
  /** Where MESSAGE-INTEGRITY-SHA256 stands; checked by `verifyIntegrity`. */
  readonly integrity: { readonly offset: number; readonly sizeBytes: number } | undefined;
  /** The whole packet. */
  readonly bytes: Buffer;
}

export const STUN_HEADER_BYTES = 20;
/** RFC 8489 §5. */
export const MAGIC_COOKIE = 0x2112a442;
/** RFC 8489 §14.7: what the CRC of FINGERPRINT is XORed with. */
export const FINGERPRINT_XOR = 0x5354554e;
/** RFC 8489 §14.6: an integrity value may be cut, but not below this. */
export const MIN_INTEGRITY_BYTES = 16;

/** Message types of the method Binding (0x001), RFC 8489 §5. */
export const CLASS_BITS = {
  request: 0x0001,
  indication: 0x0011,
  response: 0x0101,
  error: 0x0111,
} as const satisfies Record<StunClass, number>;

/** Attribute types: RFC 8489 §18.3, RFC 5780 §9.1, RFC 8445 §20.1, RFC 3489 §11.2. */
export const ATTRIBUTE = {
  MAPPED_ADDRESS: 0x0001,
  RESPONSE_ADDRESS: 0x0002,
  CHANGE_REQUEST: 0x0003,
  SOURCE_ADDRESS: 0x0004,
  CHANGED_ADDRESS: 0x0005,
  USERNAME: 0x0006,
  PASSWORD: 0x0007,
  MESSAGE_INTEGRITY: 0x0008,
  ERROR_CODE: 0x0009,
  UNKNOWN_ATTRIBUTES: 0x000a,
  REFLECTED_FROM: 0x000b,
  MESSAGE_INTEGRITY_SHA256: 0x001c,
  XOR_MAPPED_ADDRESS: 0x0020,
  PRIORITY: 0x0024,
  USE_CANDIDATE: 0x0025,
  PADDING: 0x0026,
  RESPONSE_PORT: 0x0027,
  SOFTWARE: 0x8022,
  FINGERPRINT: 0x8028,
  ICE_CONTROLLED: 0x8029,
  ICE_CONTROLLING: 0x802a,
  RESPONSE_ORIGIN: 0x802b,
  OTHER_ADDRESS: 0x802c,
} as const;

/** Whether a packet is STUN by its first byte (RFC 7983 §7). */
export function isStun(firstByte: number | undefined): boolean {
  return firstByte !== undefined && firstByte < 4;
}
