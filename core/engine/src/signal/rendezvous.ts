import type { Endpoint } from '@awl/api';

/** What a rendezvous tells of a peer. The keys prove themselves: the peer id is a hash of `spki`, and `sealSignature` signs `sealKey`. */
export interface PeerRecord {
  readonly peerId: string;
  readonly name?: string;
  readonly online: boolean;
  /** Milliseconds since the Unix epoch, by the rendezvous' clock. */
  readonly seenAt?: number;
  /** DER SubjectPublicKeyInfo of the peer's Ed25519 key, base64url. */
  readonly spki: string;
  /** Raw X25519 public key for sealing, base64url. */
  readonly sealKey: string;
  /** Ed25519 signature over the seal key, base64url. */
  readonly sealSignature: string;
  /** The address that the rendezvous sees the peer's control connection at: evidence that the peer is really there. */
  readonly observedAddress?: string;
}

/** A rendezvous as the engine sees it: presence, and a mailbox for sealed messages. */
export interface Rendezvous {
  readonly url: string;
  /** Of its key, once connected: names are pinned to it. */
  readonly fingerprint?: string | undefined;
  /** STUN endpoints, grouped by address: each `[primary port, alternate port]`. At least one. */
  readonly stun: { readonly udp: readonly Endpoint[]; readonly tcp: readonly Endpoint[] };
  /** A peer by name or id; undefined where nobody has it. Rejects with `ERR_RENDEZVOUS_…`. */
  lookup(nameOrId: string, signal?: AbortSignal): Promise<PeerRecord | undefined>;
  /** Hands a sealed message (≤ 48 KiB of base64url) to a peer. Rejects with `ERR_PEER_OFFLINE`, `ERR_RENDEZVOUS_…`. */
  send(peerId: string, sealed: string): Promise<void>;
  onSignal: ((from: PeerRecord, sealed: string) => void) | null;
  onPresence: ((record: PeerRecord) => void) | null;
  /** `rttMs` of the last ping where connected. */
  onStatus:
    | ((
        status: 'connecting' | 'connected' | 'lost',
        detail: { readonly rttMs?: number; readonly code?: string; readonly reason?: string },
      ) => void)
    | null;
  /** Connects and registers; keeps reconnecting with jitter until closed. Resolves at the first success, rejects when that fails for good. */
  open(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
