import { Prefix, type AddressId } from './address.ts';
import type { LinkCondition } from './link.ts';
import type { NatOptions } from './nat-behaviour.ts';
import { Nat } from './nat.ts';
import { ICMP, RST, TCP, UDP, resetFor, unreachableFor, type Packet } from './packet.ts';
import type { SeededRandom } from '../random.ts';
import { Interface, type DropReason, type Fabric, type NetworkNode, type Segment } from './segment.ts';

/** A router's side toward the internet. */
export interface WanOptions {
  readonly segment: Segment;
  readonly addresses: readonly string[];
  /** Where packets go that have no other route; left out where the segment itself knows every address. */
  readonly gateway?: string;
  readonly mac: string;
  readonly link?: LinkCondition;
  readonly ipv6?: string;
}

/** One inside network of a router. */
export interface LanOptions {
  readonly segment: Segment;
  /** The router's own address there. */
  readonly address: string;
  readonly prefix: string;
  readonly mac: string;
  readonly ipv6?: { readonly address: string; readonly prefix: string };
}

interface Inside {
  readonly on: Interface;
  readonly prefixes: readonly Prefix[];
}

/** A router: one side toward the internet, inside networks, a NAT for IPv4 and a firewall for IPv6. */
export class Router implements NetworkNode {
  readonly name: string;
  readonly wan: Interface;
  readonly nat: Nat | null;
  readonly firewall: Nat | null;
  readonly #fabric: Fabric;
  readonly #random: SeededRandom;
  readonly #gateway: AddressId;
  readonly #insides: Inside[] = [];

  constructor(
    fabric: Fabric,
    name: string,
    wan: WanOptions,
    options: { readonly nat: NatOptions | null; readonly firewall: NatOptions | null },
    random: SeededRandom,
  ) {
    const ids = wan.addresses.map((text) => fabric.addresses.id(text));
    const all = wan.ipv6 ? [...ids, fabric.addresses.id(wan.ipv6)] : ids;
    this.name = name;
    this.#fabric = fabric;
    this.#random = random;
    this.#gateway = wan.gateway ? fabric.addresses.id(wan.gateway) : 0;
    const link = wan.link ? { link: wan.link } : {};
    this.wan = new Interface({
      name: 'wan',
      node: this,
      segment: wan.segment,
      addresses: all,
      mac: wan.mac,
      random: random.fork('wan'),
      ...link,
    });
    this.nat = options.nat && new Nat(options.nat, ids, random.fork('nat'));
    this.firewall = options.firewall && new Nat(options.firewall, [], random.fork('firewall'));
  }

  addLan(lan: LanOptions): void {
    const { addresses } = this.#fabric;
    const own = [lan.address, ...(lan.ipv6 ? [lan.ipv6.address] : [])].map((text) => addresses.id(text));
    const prefixes = [lan.prefix, ...(lan.ipv6 ? [lan.ipv6.prefix] : [])].map(
      (text) => new Prefix(addresses, text),
    );
    const random = this.#random.fork(`lan ${lan.segment.name}`);
    const on = new Interface({
      name: lan.segment.name,
      node: this,
      segment: lan.segment,
      addresses: own,
      mac: lan.mac,
      random,
    });
    this.#insides.push({ on, prefixes });
    if (lan.ipv6) this.wan.segment.route(lan.ipv6.prefix, this.wan);
  }

  /** Loses all mappings, as on a reboot. */
  reboot(): void {
    this.nat?.reboot();
    this.firewall?.reboot();
  }

  /** The provider gives another address, and all mappings are gone. */
  renumber(address: string): void {
    const after = this.#fabric.addresses.id(address);
    this.wan.readdress(this.#externals()[0]!, after);
    this.nat?.reboot([after]);
  }

  receive(packet: Packet, arrivedOn: Interface): void {
    if (--packet.ttl <= 0) return this.#drop('ttl', packet);
    const translator = this.#fabric.addresses.family(packet.destination) === 4 ? this.nat : this.firewall;
    if (arrivedOn === this.wan) this.#inbound(packet, translator);
    else if (arrivedOn.addresses.includes(packet.destination)) this.#drop('no-socket', packet);
    else this.#outbound(packet, arrivedOn, translator);
  }

  #outbound(packet: Packet, arrivedOn: Interface, translator: Nat | null): void {
    const inside = this.#insideOf(packet.destination);
    // Inside networks are kept apart, as guest networks are.
    if (inside)
      return inside.on === arrivedOn ? this.#forwardInside(inside, packet) : this.#drop('filtered', packet);
    if (!translator) return this.#forwardOut(packet);
    const nowMs = this.#fabric.clock.now();
    const toSelf = translator.isExternal(packet.destination);
    if (toSelf && !translator.options.hairpin) return this.#drop('no-hairpin', packet);
    const refused = translator.outbound(packet, nowMs);
    if (refused) return this.#drop(refused, packet);
    if (toSelf) this.#inbound(packet, translator);
    else this.#forwardOut(packet);
  }

  #inbound(packet: Packet, translator: Nat | null): void {
    if (translator) {
      const refused = translator.inbound(packet, this.#fabric.clock.now());
      if (refused) {
        if (refused === 'filtered') this.#answerStranger(packet, translator);
        return this.#drop(refused, packet);
      }
    }
    const inside = this.#insideOf(packet.destination);
    if (inside) this.#forwardInside(inside, packet);
    else this.#drop('no-route', packet);
  }

  #answerStranger(packet: Packet, translator: Nat): void {
    if (packet.protocol === ICMP) return;
    const { unsolicited } = packet.protocol === UDP ? translator.options.udp : translator.options.tcp;
    if (unsolicited === 'drop' || (packet.protocol === TCP && packet.flags & RST)) return;
    if (unsolicited === 'rst' && packet.protocol === TCP) this.#forwardOut(resetFor(packet));
    else this.#forwardOut(unreachableFor(packet, packet.destination));
  }

  #forwardInside(inside: Inside, packet: Packet): void {
    inside.on.transmit(packet, packet.destination);
  }

  #forwardOut(packet: Packet): void {
    const inside = this.#insideOf(packet.destination);
    if (inside) return this.#forwardInside(inside, packet);
    this.wan.transmit(packet, this.#gateway || packet.destination);
  }

  #insideOf(address: AddressId): Inside | undefined {
    for (const inside of this.#insides) {
      for (const prefix of inside.prefixes) if (prefix.has(address)) return inside;
    }
    return undefined;
  }

  #externals(): readonly AddressId[] {
    return this.wan.addresses.filter((id) => this.#fabric.addresses.family(id) === 4);
  }

  #drop(reason: DropReason, packet: Packet): void {
    this.wan.segment.trace(reason, packet, this.name);
  }
}
