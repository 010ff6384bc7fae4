import type { Endpoint } from '@awl/api';
import { AwlError } from '@awl/wire';
import { identityRecord, type Identity, type PeerRecord, type Rendezvous } from '@awl/engine';

interface Member {
  readonly record: PeerRecord;
  readonly rendezvous: Rendezvous;
}

/** A rendezvous without a network: what one member sends, the other has on the next turn of the loop. */
export class MemoryRendezvous {
  readonly #members = new Map<string, Member>();
  /** STUN endpoints told to members. */
  stun: { udp: readonly Endpoint[]; tcp: readonly Endpoint[] } = { udp: [], tcp: [] };
  /** Every sealed message that went through. */
  readonly carried: { from: string; to: string; sealed: string }[] = [];
  /** While true, every call is refused, as by a rendezvous that is gone. */
  dead = false;

  client(identity: Identity, name: string, observedAddress = '127.0.0.1'): Rendezvous {
    const record: PeerRecord = { ...identityRecord(identity), name, online: true, observedAddress };
    const members = this.#members;
    const { carried } = this;
    const refuse = (): void => {
      if (this.dead) throw new AwlError('ERR_RENDEZVOUS_UNREACHABLE');
    };
    const rendezvous: Rendezvous = {
      url: 'awl://memory',
      fingerprint: 'memory',
      stun: this.stun,
      async lookup(nameOrId) {
        refuse();
        return [...members.values()].find(
          (member) => member.record.peerId === nameOrId || member.record.name === nameOrId,
        )?.record;
      },
      async send(peerId, sealed) {
        refuse();
        const member = members.get(peerId);
        if (!member) throw new AwlError('ERR_PEER_OFFLINE');
        carried.push({ from: identity.peerId, to: peerId, sealed });
        setImmediate(() => member.rendezvous.onSignal?.(record, sealed));
      },
      onSignal: null,
      onPresence: null,
      onStatus: null,
      async open() {
        refuse();
        for (const member of members.values()) {
          member.rendezvous.onPresence?.(record);
          rendezvous.onPresence?.(member.record);
        }
        members.set(identity.peerId, { record, rendezvous });
        rendezvous.onStatus?.('connected', { rttMs: 0 });
      },
      async close() {
        members.delete(identity.peerId);
      },
    };
    return rendezvous;
  }
}
