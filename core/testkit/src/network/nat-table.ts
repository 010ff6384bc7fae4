import type { Random } from '@awl/api';
import { endpointKey, type AddressId } from './address.ts';
import { NatMapping, type Session } from './nat-mapping.ts';
import type { NatBehaviour, NatOptions } from './nat-behaviour.ts';
import { ACK, RST, SYN, type Packet } from './packet.ts';
import { PortAllocator } from './port-allocator.ts';
import { StrangerMemory } from './stranger-memory.ts';
import type { DropReason } from './segment.ts';

const SWEEP_AT_LEAST = 4096;
const SWEEP_AGAIN_MS = 1000;

/** The mappings of one internal endpoint. */
interface Internal {
  /** EIM: the one mapping. */
  single: NatMapping | null;
  /** ADM, APDM: by what they depend on. */
  byRemote: Map<number, NatMapping> | null;
  /** Flows that leave by another mapping than their remote would have: strangers' that were let in, and those that `remembers` moved. */
  apart: Map<number, NatMapping> | null;
}

/** The translation table for one transport protocol. */
export class NatTable {
  readonly #behaviour: NatBehaviour;
  readonly #options: NatOptions;
  readonly #isTcp: boolean;
  readonly #allocators = new Map<AddressId, PortAllocator>();
  readonly #random: Random;
  readonly #chooseAddress: (internal: AddressId) => AddressId;
  /** How many mappings there can be. */
  readonly #endpoints: number;
  readonly #internals = new Map<number, Internal>();
  readonly #externals = new Map<number, NatMapping>();
  readonly #strangers = new StrangerMemory();
  #sessions = 0;
  #sweepAt = SWEEP_AT_LEAST;
  #sweptAtMs = 0;

  constructor(
    options: NatOptions,
    protocol: 'udp' | 'tcp',
    random: Random,
    pool: { readonly size: number; readonly choose: (internal: AddressId) => AddressId },
  ) {
    this.#options = options;
    this.#behaviour = options[protocol];
    const { allocation, overloading } = this.#behaviour;
    const [lowest, highest] = options.portRange;
    this.#endpoints =
      overloading || allocation.law === 'identity' ? Infinity : (highest - lowest + 1) * pool.size;
    this.#isTcp = protocol === 'tcp';
    this.#random = random;
    this.#chooseAddress = pool.choose;
  }

  /** Flows in the table, dead ones that were not yet swept out among them. */
  get size(): number {
    return this.#sessions;
  }

  /** Translates a packet from the inside; the reason where it must not pass. */
  outbound(packet: Packet, nowMs: number): DropReason | null {
    const remote = endpointKey(packet.destination, packet.destinationPort);
    const internalKey = endpointKey(packet.source, packet.sourcePort);
    let mapping = this.#find(internalKey, remote, nowMs);
    let session = mapping?.live(remote, nowMs);
    if (this.#isTcp && packet.flags & RST && !session) return 'filtered';
    if (!session) {
      if (!this.#makeRoom(nowMs)) return 'table-full';
      mapping ??= this.#create(packet, internalKey, remote, nowMs);
      if (mapping && this.#behaviour.remembers && this.#strangers.knows(remote, mapping.external, nowMs)) {
        mapping = this.#createApart(packet, internalKey, remote, nowMs);
      }
      if (!mapping) return 'table-full';
      session = this.#open(mapping, remote);
    }
    this.#touch(mapping!, session, true, packet, nowMs);
    if (this.#behaviour.filtering === 'ADF')
      this.#admitAddress(mapping!, packet.destination, session.expiresAtMs);
    packet.source = mapping!.externalAddress;
    packet.sourcePort = mapping!.externalPort;
    return null;
  }

  /** Translates a packet from the outside; false where nobody asked for it. */
  inbound(packet: Packet, nowMs: number): boolean {
    const remote = endpointKey(packet.source, packet.sourcePort);
    const external = endpointKey(packet.destination, packet.destinationPort);
    for (let mapping = this.#externals.get(external) ?? null; mapping; mapping = mapping.sibling) {
      if (mapping.expiresAtMs <= nowMs || !this.#admits(mapping, remote, packet, nowMs)) continue;
      packet.destination = Math.floor(mapping.internal / 65536);
      packet.destinationPort = mapping.internal % 65536;
      return true;
    }
    if (this.#behaviour.remembers) this.#strangers.remember(remote, external, nowMs);
    return false;
  }

  /** The internal endpoint behind an external one, for an ICMP error about a live flow; 0 where there is none. */
  internalOf(external: number, remote: number, nowMs: number): number {
    for (let mapping = this.#externals.get(external) ?? null; mapping; mapping = mapping.sibling) {
      if (mapping.live(remote, nowMs)) return mapping.internal;
    }
    return 0;
  }

  #find(internalKey: number, remote: number, nowMs: number): NatMapping | null {
    const internal = this.#internals.get(internalKey);
    if (!internal) return null;
    const apart = internal.apart?.get(remote);
    if (apart && apart.expiresAtMs > nowMs) return apart;
    const mapping =
      this.#behaviour.mapping === 'EIM'
        ? internal.single
        : (internal.byRemote?.get(this.#narrow(remote)) ?? null);
    return mapping && mapping.expiresAtMs > nowMs ? mapping : null;
  }

  #narrow(remote: number): number {
    if (this.#behaviour.mapping === 'EIM') return 0;
    return this.#behaviour.mapping === 'ADM' ? Math.floor(remote / 65536) : remote;
  }

  #create(packet: Packet, internalKey: number, remote: number, nowMs: number): NatMapping | null {
    if (this.#externals.size >= this.#endpoints) {
      // All ports are taken: looking for a free one again and again would take long.
      if (nowMs - this.#sweptAtMs >= SWEEP_AGAIN_MS) this.#sweep(nowMs);
      if (this.#externals.size >= this.#endpoints) return null;
    }
    const dependsOn = this.#narrow(remote);
    const mapping = this.#allocate(packet, internalKey, dependsOn, packet.sourcePort, nowMs);
    if (!mapping) return null;
    const internal = this.#internal(internalKey);
    if (dependsOn === 0) internal.single = mapping;
    else (internal.byRemote ??= new Map()).set(dependsOn, mapping);
    return mapping;
  }

  #createApart(packet: Packet, internalKey: number, remote: number, nowMs: number): NatMapping | null {
    const wanted =
      this.#options.portRange[0] +
      this.#random.integer(this.#options.portRange[1] - this.#options.portRange[0]);
    const mapping = this.#allocate(packet, internalKey, remote, wanted, nowMs);
    if (mapping) (this.#internal(internalKey).apart ??= new Map()).set(remote, mapping);
    return mapping;
  }

  #internal(key: number): Internal {
    let internal = this.#internals.get(key);
    if (!internal) this.#internals.set(key, (internal = { single: null, byRemote: null, apart: null }));
    return internal;
  }

  #allocate(
    packet: Packet,
    internalKey: number,
    dependsOn: number,
    wanted: number,
    nowMs: number,
  ): NatMapping | null {
    const { allocation, overloading } = this.#behaviour;
    const address = allocation.law === 'identity' ? packet.source : this.#chooseAddress(packet.source);
    let allocator = this.#allocators.get(address);
    if (!allocator)
      this.#allocators.set(
        address,
        (allocator = new PortAllocator(allocation, this.#options.portRange, this.#random)),
      );
    const isFree = (port: number): boolean => {
      for (
        let other = this.#externals.get(endpointKey(address, port)) ?? null;
        other;
        other = other.sibling
      ) {
        if (other.expiresAtMs > nowMs && (!overloading || other.dependsOn === dependsOn)) return false;
      }
      return true;
    };
    const port = allocator.take(packet.source, wanted, isFree, nowMs);
    if (port === 0) return null;
    const external = endpointKey(address, port);
    const mapping = new NatMapping(internalKey, external, address, port, dependsOn);
    mapping.sibling = this.#liveChain(this.#externals.get(external) ?? null, nowMs);
    this.#externals.set(external, mapping);
    return mapping;
  }

  #liveChain(first: NatMapping | null, nowMs: number): NatMapping | null {
    if (!first) return null;
    first.sibling = this.#liveChain(first.sibling, nowMs);
    if (first.expiresAtMs > nowMs) return first;
    this.#forget(first);
    return first.sibling;
  }

  #forget(mapping: NatMapping): void {
    this.#sessions -= mapping.sessionCount;
    const internal = this.#internals.get(mapping.internal);
    if (!internal) return;
    if (internal.single === mapping) internal.single = null;
    if (internal.byRemote?.get(mapping.dependsOn) === mapping) internal.byRemote.delete(mapping.dependsOn);
    if (internal.apart)
      for (const [remote, each] of internal.apart) if (each === mapping) internal.apart.delete(remote);
    if (!internal.single && !internal.byRemote?.size && !internal.apart?.size)
      this.#internals.delete(mapping.internal);
  }

  #open(mapping: NatMapping, remote: number): Session {
    const known = mapping.session(remote);
    if (known) {
      known.restart();
      return known;
    }
    this.#sessions++;
    return mapping.add(remote);
  }

  #touch(mapping: NatMapping, session: Session, outbound: boolean, packet: Packet, nowMs: number): void {
    const lifetimeMs = this.#isTcp
      ? session.track(outbound, packet.flags, this.#behaviour)
      : this.#behaviour.lifetimeMs;
    if (lifetimeMs >= 0) mapping.refresh(session, nowMs + lifetimeMs);
  }

  #admitAddress(mapping: NatMapping, address: AddressId, untilMs: number): void {
    const session = this.#open(mapping, endpointKey(address, 0));
    if (session.expiresAtMs < untilMs) mapping.refresh(session, untilMs);
  }

  #admits(mapping: NatMapping, remote: number, packet: Packet, nowMs: number): boolean {
    const { filtering, inboundRefresh } = this.#behaviour;
    const opening = this.#isTcp && (packet.flags & (SYN | ACK | RST)) === SYN;
    let session = mapping.live(remote, nowMs);
    // The entry of a connection that was reset takes no new SYN from outside.
    if (
      session &&
      opening &&
      filtering === 'APDF' &&
      (session.state === 'reset' || session.state === 'closing')
    )
      session = undefined;
    if (!session) {
      if (filtering === 'APDF') return false;
      if (filtering === 'ADF' && !mapping.live(endpointKey(packet.source, 0), nowMs)) return false;
      if (this.#isTcp && packet.flags & RST) return false;
    }
    const isForeign = mapping.dependsOn !== 0 && this.#narrow(remote) !== mapping.dependsOn;
    if (isForeign && !session) {
      // Answers to a stranger that was let in leave by the mapping that he came in by.
      if (!this.#makeRoom(nowMs)) return false;
      session = this.#open(mapping, remote);
      mapping.refresh(session, mapping.expiresAtMs);
      (this.#internal(mapping.internal).apart ??= new Map()).set(remote, mapping);
    }
    if (this.#isTcp || inboundRefresh) {
      if (!session || (opening && session.state !== 'new')) session = this.#open(mapping, remote);
      this.#touch(mapping, session, false, packet, nowMs);
    }
    return true;
  }

  /** False where the table is full and stays so. */
  #makeRoom(nowMs: number): boolean {
    const { tableLimit, whenFull } = this.#options;
    const isFull = this.#sessions >= tableLimit;
    if (this.#sessions >= this.#sweepAt || (isFull && nowMs - this.#sweptAtMs >= SWEEP_AGAIN_MS))
      this.#sweep(nowMs);
    if (this.#sessions < tableLimit) return true;
    if (whenFull === 'drop') return false;
    for (const [external, mapping] of this.#externals) {
      this.#externals.delete(external);
      for (let each: NatMapping | null = mapping; each; each = each.sibling) this.#forget(each);
      return true;
    }
    return false;
  }

  #sweep(nowMs: number): void {
    this.#sweptAtMs = nowMs;
    for (const [external, mapping] of this.#externals) {
      const rest = this.#liveChain(mapping, nowMs);
      if (!rest) this.#externals.delete(external);
      else if (rest !== mapping) this.#externals.set(external, rest);
      for (let each = rest; each; each = each.sibling) this.#sessions -= each.prune(nowMs);
    }
    this.#sweepAt = Math.max(SWEEP_AT_LEAST, 2 * this.#sessions);
  }
}
