import type { PeerRecord } from './rendezvous.ts';

/** A rendezvous tells of no more at once. */
const MAX_ONLINE = 4096;

/** Who is online, over reconnects: who went while the connection was gone is told as gone once the new list is complete. */
export class OnlinePeers {
  readonly #tell: (record: PeerRecord) => void;
  readonly #online = new Map<string, PeerRecord>();
  #seen = new Set<string>();

  constructor(tell: (record: PeerRecord) => void) {
    this.#tell = tell;
  }

  /** A new connection: a new list is to come. */
  begin(): void {
    this.#seen = new Set();
  }

  note(record: PeerRecord): void {
    const { peerId, online } = record;
    if (!online) this.#online.delete(peerId);
    else if (this.#online.size < MAX_ONLINE || this.#online.has(peerId)) {
      this.#online.set(peerId, record);
      this.#seen.add(peerId);
    } else return;
    this.#tell(record);
  }

  /** The list is complete. */
  listed(): void {
    for (const [peerId, record] of this.#online)
      if (!this.#seen.has(peerId)) this.note({ ...record, online: false });
  }
}
