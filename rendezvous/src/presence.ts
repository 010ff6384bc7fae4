import { isPeerId, isPeerName, nameKey, toAwlError, type PeerEntry } from '@awl/wire';
import type { NameStore } from './names.ts';
import type { RendezvousLimits, ServerClock } from './options.ts';
import type { Presence, Refusal, Registration } from './ports.ts';
import { addressKey, RateLimit } from './rate-limit.ts';

interface Online {
  readonly peer: Registration;
  readonly token: symbol;
}

const HOUR_MS = 3_600_000;

/** Presence of a single server: who is online in memory, names in SQLite. */
export class LocalPresence implements Presence {
  onChange: ((peer: PeerEntry) => void) | null = null;
  readonly #names: NameStore;
  readonly #limits: RendezvousLimits;
  readonly #clock: ServerClock;
  readonly #newNames: RateLimit;
  readonly #online = new Map<string, Online>();
  #lapsedAtMs = -Infinity;

  constructor(names: NameStore, limits: RendezvousLimits, clock: ServerClock) {
    this.#names = names;
    this.#limits = limits;
    this.#clock = clock;
    this.#newNames = new RateLimit(limits.namesPerHour / 3600, limits.namesPerHour);
  }

  get online(): number {
    return this.#online.size;
  }

  // Asynchronous for the sake of the port; what it does must not be interrupted between the look and the claim.
  enter(peer: Registration, token: symbol): Promise<Refusal | undefined> {
    const former = this.#online.get(peer.peerId);
    if (!former && this.#online.size >= this.#limits.peers)
      return Promise.resolve(limited('The rendezvous is full.', 60_000));
    try {
      const refusal = peer.name === undefined ? undefined : this.#claim(peer, peer.name);
      if (refusal) return Promise.resolve(refusal);
    } catch (error) {
      const { code, message } = toAwlError(error);
      return Promise.resolve({ code, reason: message });
    }
    this.#online.set(peer.peerId, { peer, token });
    if (former && former.peer.name !== peer.name) this.#tell(former.peer, false);
    this.#tell(peer, true);
    return Promise.resolve(undefined);
  }

  leave(peerId: string, token: symbol): Promise<void> {
    const online = this.#online.get(peerId);
    if (online?.token !== token) return Promise.resolve();
    this.#online.delete(peerId);
    try {
      if (online.peer.name !== undefined) this.#names.touch(online.peer.name, peerId, this.#clock.now());
    } catch {
      // A full disk costs the name a little of its lifetime, and nobody the connection.
    }
    this.#tell(online.peer, false);
    return Promise.resolve();
  }

  async find(nameOrId: string): Promise<PeerEntry | undefined> {
    await Promise.resolve();
    if (isPeerId(nameOrId)) {
      const online = this.#online.get(nameOrId);
      if (online) return this.#entry(online.peer, true);
      const row = this.#names.byPeer(nameOrId);
      return row && { ...row, online: false };
    }
    if (!isPeerName(nameOrId)) return undefined;
    const row = this.#names.byName(nameOrId);
    if (!row) return undefined;
    const online = this.#online.get(row.peerId);
    // One may be found by each of one's names.
    if (online) return { ...this.#entry(online.peer, true), name: row.name };
    return row.seenAt < this.#lapseBefore() ? undefined : { ...row, online: false };
  }

  list(limit: number): Promise<PeerEntry[]> {
    const peers: PeerEntry[] = [];
    for (const { peer } of this.#online.values()) {
      if (peers.length >= limit) break;
      if (peer.name !== undefined) peers.push(this.#publicEntry(peer, true));
    }
    return Promise.resolve(peers);
  }

  #claim(peer: Registration, name: string): Refusal | undefined {
    if (!isPeerName(name))
      return {
        code: 'ERR_NAME_INVALID',
        reason: 'A name has 1 to 63 letters, digits, hyphens or underscores.',
      };
    const now = this.#clock.now();
    this.#lapse(now);
    const row = this.#names.byName(name);
    const isOnline = row !== undefined && this.#holds(row.peerId, name);
    if (row && row.peerId !== peer.peerId && (isOnline || row.seenAt >= this.#lapseBefore()))
      return { code: 'ERR_NAME_TAKEN', reason: `The name ${name} belongs to another key.` };
    if (row?.peerId !== peer.peerId) {
      const waitMs = this.#newNames.take(addressKey(peer.observedAddress), now);
      if (waitMs > 0) return limited('Too many new names from this address.', waitMs);
      if (!row && this.#names.count >= this.#limits.names)
        return limited('The rendezvous has no more names.', HOUR_MS);
    }
    this.#names.assign(name, peer, now, this.#limits.namesPerKey);
    return undefined;
  }

  /** A peer that stays online for months uses its name all that time. */
  #holds(peerId: string, name: string): boolean {
    const held = this.#online.get(peerId)?.peer.name;
    return held !== undefined && nameKey(held) === nameKey(name);
  }

  #lapse(nowMs: number): void {
    if (nowMs - this.#lapsedAtMs < HOUR_MS) return;
    this.#lapsedAtMs = nowMs;
    for (const { peer } of this.#online.values())
      if (peer.name !== undefined) this.#names.touch(peer.name, peer.peerId, nowMs);
    this.#names.lapse(this.#lapseBefore());
  }

  #lapseBefore(): number {
    return this.#clock.now() - this.#limits.nameLifetimeMs;
  }

  #entry(peer: Registration, online: boolean): PeerEntry {
    return { ...peer, online, seenAt: this.#clock.now() };
  }

  /** What goes to everybody who watches: not where the peer is. */
  #publicEntry({ peerId, name, spki, sealKey, sealSignature }: Registration, online: boolean): PeerEntry {
    const keys = { spki, sealKey, sealSignature };
    return { peerId, ...(name === undefined ? {} : { name }), ...keys, online, seenAt: this.#clock.now() };
  }

  #tell(peer: Registration, online: boolean): void {
    if (peer.name !== undefined) this.onChange?.(this.#publicEntry(peer, online));
  }
}

function limited(reason: string, retryAfterMs: number): Refusal {
  return { code: 'ERR_RENDEZVOUS_LIMIT', reason, retryAfterMs };
}
