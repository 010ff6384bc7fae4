import { familyOf, type Family, type Gateway, type HostInterface } from '@awl/api';
import { Prefix, type AddressId } from './address.ts';
import type { LinkCondition } from './link.ts';
import { Packet } from './packet.ts';
import type { SeededRandom } from '../random.ts';
import { Interface, type Fabric, type NetworkNode, type Segment } from './segment.ts';

const LOOPBACK_MS = 0.01;

/** One interface of a host. */
export interface HostInterfaceOptions {
  readonly segment: Segment;
  /** `192.168.1.10/24`; IPv4 and IPv6 may stand together. */
  readonly addresses: readonly string[];
  /** The router on this link, if any, for each family. */
  readonly gateways?: readonly { readonly address: string; readonly mac: string }[];
  readonly mac: string;
  readonly link?: LinkCondition;
}

interface HostNetwork {
  readonly id: AddressId;
  readonly text: string;
  readonly family: Family;
  readonly prefix: Prefix;
}

interface HostLink {
  readonly on: Interface;
  readonly networks: readonly HostNetwork[];
  readonly gateways: readonly {
    readonly id: AddressId;
    readonly family: Family;
    readonly text: string;
    readonly mac: string;
  }[];
}

/** A host's interfaces and routes. */
export class HostLinks {
  readonly #fabric: Fabric;
  readonly #host: NetworkNode;
  readonly #random: SeededRandom;
  readonly #links: HostLink[] = [];
  readonly #own = new Set<AddressId>();

  constructor(fabric: Fabric, host: NetworkNode, random: SeededRandom) {
    this.#fabric = fabric;
    this.#host = host;
    this.#random = random;
    for (const text of ['127.0.0.1', '::1']) this.#own.add(fabric.addresses.id(text));
  }

  attach(options: HostInterfaceOptions): void {
    const { addresses } = this.#fabric;
    const networks = options.addresses.map((each) => {
      const text = each.split('/')[0]!;
      return {
        id: addresses.id(text),
        text,
        family: familyOf({ address: text }),
        prefix: new Prefix(addresses, each),
      };
    });
    const gateways = (options.gateways ?? []).map(({ address, mac }) => {
      return { id: addresses.id(address), family: familyOf({ address }), text: address, mac };
    });
    const name = `eth${this.#links.length}`;
    const { segment, mac, link } = options;
    const ids = networks.map(({ id }) => id);
    const random = this.#random.fork(name);
    const on = new Interface({
      name,
      node: this.#host,
      segment,
      addresses: ids,
      mac,
      random,
      ...(link && { link }),
    });
    this.#links.push({ on, networks, gateways });
    for (const id of ids) this.#own.add(id);
  }

  isOwn(address: AddressId): boolean {
    return this.#own.has(address);
  }

  setCondition(condition: LinkCondition): void {
    for (const { on } of this.#links) {
      on.up.set(condition);
      on.down.set(condition);
    }
  }

  interfaces(): readonly HostInterface[] {
    const loopback: HostInterface = {
      name: 'lo',
      address: '127.0.0.1',
      family: 4,
      prefixLength: 8,
      internal: true,
      kind: 'loopback',
    };
    const others = this.#links.flatMap(({ on: { name }, networks }) =>
      networks.map(({ text, family, prefix }): HostInterface => {
        return { name, address: text, family, prefixLength: prefix.length, internal: false, kind: 'link' };
      }),
    );
    return [loopback, ...others];
  }

  gateways(): readonly Gateway[] {
    return this.#links.flatMap(({ on, gateways }) =>
      gateways.map(({ text, mac }) => ({ address: text, interfaceName: on.name, mac })),
    );
  }

  /** The own address toward a destination; 0 where there is none. */
  sourceFor(destination: AddressId): AddressId {
    if (this.#own.has(destination)) return destination;
    const family = this.#fabric.addresses.family(destination);
    let found: AddressId = 0;
    for (const { networks } of this.#links) {
      for (const network of networks) {
        if (network.prefix.has(destination)) return network.id;
        if (found === 0 && network.family === family) found = network.id;
      }
    }
    return found;
  }

  send(packet: Packet): void {
    const { clock, addresses } = this.#fabric;
    if (this.#own.has(packet.destination) && this.#links[0])
      return clock.post(LOOPBACK_MS, this.#links[0].on, packet);
    for (const { on, networks, gateways } of this.#links) {
      if (!on.addresses.includes(packet.source)) continue;
      on.segment.trace('sent', packet, this.#host.name);
      let nextHop: AddressId = 0;
      for (const { prefix } of networks) if (prefix.has(packet.destination)) nextHop = packet.destination;
      if (nextHop === 0) {
        const family = addresses.family(packet.destination);
        for (const gateway of gateways) if (gateway.family === family) nextHop = gateway.id;
      }
      if (nextHop === 0) on.segment.trace('no-route', packet, this.#host.name);
      else on.transmit(packet, nextHop);
      return;
    }
  }

  /** To all on the packet's source's link, this host among them (as with IP_MULTICAST_LOOP). */
  multicast(packet: Packet): void {
    const sender = this.#links.find(({ on }) => on.addresses.includes(packet.source))?.on;
    if (!sender) return;
    for (const to of sender.segment.interfaces) {
      const copy = new Packet(
        packet.protocol,
        packet.source,
        packet.sourcePort,
        packet.destination,
        packet.destinationPort,
      );
      copy.ttl = 1;
      copy.payload = packet.payload;
      if (to === sender) this.#fabric.clock.post(LOOPBACK_MS, to, copy);
      else sender.segment.carry(sender, to, copy);
    }
  }
}
