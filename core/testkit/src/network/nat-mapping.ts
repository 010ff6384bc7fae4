import type { AddressId } from './address.ts';
import type { NatBehaviour } from './nat-behaviour.ts';
import { ACK, FIN, RST, SYN } from './packet.ts';

/** A reset connection's entry stays this long. */
const RESET_LIFETIME_MS = 10_000;
const OUTBOUND = 1;
const INBOUND = 2;
const BOTH = OUTBOUND | INBOUND;

/** One flow through a mapping: what its filter admits. For ADF there is one more for the remote address alone, with port 0. */
export class Session {
  readonly remote: number;
  expiresAtMs = 0;
  /** TCP, RFC 5382 §5. */
  state: 'new' | 'established' | 'closing' | 'reset' = 'new';
  #seen = 0;
  #finished = 0;

  constructor(remote: number) {
    this.remote = remote;
  }

  restart(): void {
    this.state = 'new';
    this.#seen = 0;
    this.#finished = 0;
  }

  /** Follows a TCP segment; returns the lifetime that it leaves the session. */
  track(outbound: boolean, flags: number, behaviour: NatBehaviour): number {
    const direction = outbound ? OUTBOUND : INBOUND;
    if (flags & RST) {
      this.state = 'reset';
      return RESET_LIFETIME_MS;
    }
    if (outbound && (flags & (SYN | ACK)) === SYN && (this.state === 'reset' || this.state === 'closing'))
      this.restart();
    if (this.state === 'reset') return -1;
    this.#seen |= direction;
    if (flags & ACK && this.#seen === BOTH && this.state === 'new') this.state = 'established';
    if (flags & FIN) {
      this.#finished |= direction;
      if (this.#finished === BOTH) this.state = 'closing';
    }
    return this.state === 'established' && this.#finished === 0
      ? behaviour.lifetimeMs
      : behaviour.transitoryLifetimeMs;
  }
}

/** An entry of the translation table: an internal endpoint, its external one, and whom it was opened for. */
export class NatMapping {
  readonly internal: number;
  readonly external: number;
  readonly externalAddress: AddressId;
  readonly externalPort: number;
  /** The part of the remote that the mapping depends on: 0 for EIM. */
  readonly dependsOn: number;
  expiresAtMs = 0;
  /** The next mapping with the same external endpoint, where ports are overloaded. */
  sibling: NatMapping | null = null;
  /** Most mappings have one session: it needs no map. */
  #first: Session | null = null;
  #more: Map<number, Session> | null = null;

  constructor(
    internal: number,
    external: number,
    externalAddress: AddressId,
    externalPort: number,
    dependsOn: number,
  ) {
    this.internal = internal;
    this.external = external;
    this.externalAddress = externalAddress;
    this.externalPort = externalPort;
    this.dependsOn = dependsOn;
  }

  get sessionCount(): number {
    return (this.#first ? 1 : 0) + (this.#more?.size ?? 0);
  }

  session(remote: number): Session | undefined {
    if (this.#first?.remote === remote) return this.#first;
    return this.#more?.get(remote);
  }

  /** A session that still lives. */
  live(remote: number, nowMs: number): Session | undefined {
    const session = this.session(remote);
    return session && session.expiresAtMs > nowMs ? session : undefined;
  }

  add(remote: number): Session {
    const session = new Session(remote);
    if (this.#first) (this.#more ??= new Map()).set(remote, session);
    else this.#first = session;
    return session;
  }

  refresh(session: Session, expiresAtMs: number): void {
    session.expiresAtMs = expiresAtMs;
    if (expiresAtMs > this.expiresAtMs) this.expiresAtMs = expiresAtMs;
  }

  /** Forgets dead sessions; returns how many. */
  prune(nowMs: number): number {
    const before = this.sessionCount;
    if (this.#more) {
      for (const [remote, session] of this.#more) if (session.expiresAtMs <= nowMs) this.#more.delete(remote);
    }
    if (this.#first && this.#first.expiresAtMs <= nowMs) this.#first = null;
    return before - this.sessionCount;
  }
}
