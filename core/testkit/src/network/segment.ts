import type { Random } from '@awl/api';
import type { Receiver, VirtualClock } from '../clock.ts';
import { Prefix, type AddressId, type AddressTable } from './address.ts';
import { Link, type LinkCondition } from './link.ts';
import { packetBytes, TCP, type Packet } from './packet.ts';

/** Why a packet went no further. */
export type DropReason =
  | 'lost'
  | 'ttl'
  | 'no-route'
  | 'filtered'
  | 'blocked'
  | 'table-full'
  | 'no-hairpin'
  | 'no-socket';

/** One event on the way of a packet. */
export interface TraceEvent {
  readonly atMs: number;
  readonly where: string;
  readonly event: 'sent' | 'received' | DropReason;
  readonly packet: Packet;
}

/** What all parts of one simulated network share. */
export interface Fabric {
  readonly clock: VirtualClock;
  readonly addresses: AddressTable;
  /** Sees every packet where it is sent, received or dropped. It must not keep the packet, which changes on its way. */
  onTrace: ((event: TraceEvent) => void) | null;
}

/** Whatever has an interface: a host or a router. */
export interface NetworkNode {
  readonly name: string;
  receive(packet: Packet, arrivedOn: Interface): void;
}

/** Where a node meets a segment. */
export class Interface implements Receiver<Packet> {
  readonly name: string;
  readonly node: NetworkNode;
  readonly segment: Segment;
  readonly mac: string;
  readonly up: Link;
  readonly down: Link;
  addresses: AddressId[];

  constructor(options: {
    readonly name: string;
    readonly node: NetworkNode;
    readonly segment: Segment;
    readonly addresses: AddressId[];
    readonly mac: string;
    readonly random: Random;
    readonly link?: LinkCondition;
  }) {
    this.name = options.name;
    this.node = options.node;
    this.segment = options.segment;
    this.addresses = options.addresses;
    this.mac = options.mac;
    this.up = new Link(options.random, options.link);
    this.down = new Link(options.random, options.link);
    this.segment.attach(this);
  }

  /** Puts a packet on the segment, toward the neighbour that has `nextHop`. */
  transmit(packet: Packet, nextHop: AddressId): void {
    this.segment.transmit(this, packet, nextHop);
  }

  /** Gives the interface another address instead of `before`. */
  readdress(before: AddressId, after: AddressId): void {
    this.addresses = this.addresses.map((id) => (id === before ? after : id));
    this.segment.forget();
  }

  /** A packet arrives. */
  handle(packet: Packet): void {
    this.node.receive(packet, this);
  }
}

/** A link layer: a LAN, a carrier's access network, or the internet as a whole. */
export class Segment {
  readonly name: string;
  readonly fabric: Fabric;
  /** Routers that a packet meets between two of its interfaces. */
  readonly hops: number;
  readonly delayMs: number;
  readonly interfaces: Interface[] = [];
  readonly #routes: { readonly prefix: Prefix; readonly to: Interface }[] = [];
  #owners: (Interface | null | undefined)[] = [];

  constructor(
    fabric: Fabric,
    name: string,
    options: { readonly hops?: number; readonly delayMs?: number } = {},
  ) {
    this.fabric = fabric;
    this.name = name;
    this.hops = options.hops ?? 0;
    this.delayMs = options.delayMs ?? 0;
  }

  attach(on: Interface): void {
    this.interfaces.push(on);
    this.forget();
  }

  /** Sends a whole block to one interface. */
  route(prefix: string, to: Interface): void {
    this.#routes.push({ prefix: new Prefix(this.fabric.addresses, prefix), to });
    this.forget();
  }

  /** Who has an address here. */
  owner(address: AddressId): Interface | null {
    const known = this.#owners[address];
    if (known !== undefined) return known;
    const found =
      this.interfaces.find((each) => each.addresses.includes(address)) ??
      this.#routes.find(({ prefix }) => prefix.has(address))?.to;
    return (this.#owners[address] = found ?? null);
  }

  /** Drops what was learned of owners: an address has moved. */
  forget(): void {
    this.#owners = [];
  }

  transmit(from: Interface, packet: Packet, nextHop: AddressId): void {
    const to = this.owner(nextHop);
    if (!to) return this.trace('no-route', packet);
    if (this.hops > 0 && (packet.ttl -= this.hops) <= 0) return this.trace('ttl', packet);
    this.carry(from, to, packet);
  }

  /** Carries a packet between two interfaces. */
  carry(from: Interface, to: Interface, packet: Packet): void {
    const { clock } = this.fabric;
    const nowMs = clock.now();
    const sizeBytes = packetBytes(packet);
    const exempt = packet.protocol === TCP;
    let atMs = from.up.pass(nowMs, sizeBytes, exempt);
    if (atMs >= 0) atMs = to.down.pass(atMs + this.delayMs, sizeBytes, exempt);
    if (atMs < 0) return this.trace('lost', packet);
    clock.post(atMs - nowMs, to, packet);
  }

  trace(event: TraceEvent['event'], packet: Packet, where = this.name): void {
    const { onTrace, clock } = this.fabric;
    if (onTrace) onTrace({ atMs: clock.now(), where, event, packet });
  }
}
