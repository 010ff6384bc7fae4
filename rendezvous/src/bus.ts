import type { PeerEntry } from '@awl/wire';
import type { Bus, Delivery, Inbox } from './ports.ts';

/** The bus of a single server. */
export class MemoryBus implements Bus {
  readonly #inboxes = new Map<string, Inbox>();

  attach(peerId: string, inbox: Inbox): Disposable {
    const former = this.#inboxes.get(peerId);
    this.#inboxes.set(peerId, inbox);
    former?.replaced();
    return {
      [Symbol.dispose]: () => {
        if (this.#inboxes.get(peerId) === inbox) this.#inboxes.delete(peerId);
      },
    };
  }

  deliver(to: string, from: PeerEntry, sealed: string): Promise<Delivery> {
    return Promise.resolve(this.#inboxes.get(to)?.deliver(from, sealed) ?? 'offline');
  }
}
