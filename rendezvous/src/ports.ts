import type { ErrorCode, PeerEntry } from '@awl/wire';

/** A peer whose control connection has proved its key. */
export interface Registration {
  readonly peerId: string;
  readonly name?: string;
  readonly spki: string;
  readonly sealKey: string;
  readonly sealSignature: string;
  readonly observedAddress: string;
}

/** Why something is refused, and when to come back. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/**
 * Who is there, and whose a name is. Embedded: memory and SQLite. Asynchronous, so that several servers can share one.
 */
export interface Presence {
  /** Registers a peer as online, and its name as its own. The token tells this registration from a later one of the same peer. */
  enter(peer: Registration, token: symbol): Promise<Refusal | undefined>;
  /** Takes the peer offline, unless it has registered again since. */
  leave(peerId: string, token: symbol): Promise<void>;
  /** By name or id; offline ones too while they have a name. */
  find(nameOrId: string): Promise<PeerEntry | undefined>;
  /** Peers with a name who are online, at most `limit`. */
  list(limit: number): Promise<PeerEntry[]>;
  /** A peer with a name came or went. */
  onChange: ((peer: PeerEntry) => void) | null;
  /** Peers online. */
  readonly online: number;
}

export type Delivery = 'delivered' | 'offline' | 'full';

/** Where the sealed messages for one peer go. */
export interface Inbox {
  /** `full` when the peer reads too slowly. */
  deliver(from: PeerEntry, sealed: string): Exclude<Delivery, 'offline'>;
  /** The same peer has connected anew. */
  replaced(): void;
}

/** Carries sealed messages between peers' connections. */
export interface Bus {
  /** A later inbox of a peer takes the place of its former one. */
  attach(peerId: string, inbox: Inbox): Disposable;
  deliver(to: string, from: PeerEntry, sealed: string): Promise<Delivery>;
}
