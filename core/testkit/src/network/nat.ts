import { endpointKey, type AddressId } from './address.ts';
import type { SeededRandom } from '../random.ts';
import type { NatOptions } from './nat-behaviour.ts';
import { NatTable } from './nat-table.ts';
import { ICMP, TCP, UDP, type Packet } from './packet.ts';
import type { DropReason } from './segment.ts';

/** A network address and port translator (or, with the law `identity`, a stateful firewall). */
export class Nat {
  readonly options: NatOptions;
  readonly #random: SeededRandom;
  #pool: readonly AddressId[];
  readonly #paired = new Map<AddressId, AddressId>();
  #udp!: NatTable;
  #tcp!: NatTable;
  #reboots = 0;

  /** @param pool the external addresses */
  constructor(options: NatOptions, pool: readonly AddressId[], random: SeededRandom) {
    this.options = options;
    this.#random = random;
    this.#pool = pool;
    this.reboot();
  }

  /** Flows in the table. */
  get flows(): number {
    return this.#udp.size + this.#tcp.size;
  }

  /** Forgets everything. */
  reboot(pool: readonly AddressId[] = this.#pool): void {
    this.#pool = pool;
    this.#paired.clear();
    const random = this.#random.fork(`boot ${this.#reboots++}`);
    const addresses = {
      size: pool.length,
      choose: (internal: AddressId): AddressId => this.#address(internal, random),
    };
    this.#udp = new NatTable(this.options, 'udp', random.fork('udp'), addresses);
    this.#tcp = new NatTable(this.options, 'tcp', random.fork('tcp'), addresses);
  }

  isExternal(address: AddressId): boolean {
    return this.#pool.includes(address);
  }

  outbound(packet: Packet, nowMs: number): DropReason | null {
    if (packet.protocol === UDP)
      return this.options.udp.blocked ? 'blocked' : this.#udp.outbound(packet, nowMs);
    if (packet.protocol === TCP)
      return this.options.tcp.blocked ? 'blocked' : this.#tcp.outbound(packet, nowMs);
    return 'filtered';
  }

  inbound(packet: Packet, nowMs: number): DropReason | null {
    if (packet.protocol === ICMP) return this.#inboundError(packet, nowMs) ? null : 'filtered';
    const table = packet.protocol === UDP ? this.#udp : this.#tcp;
    if ((packet.protocol === UDP ? this.options.udp : this.options.tcp).blocked) return 'blocked';
    return table.inbound(packet, nowMs) ? null : 'filtered';
  }

  /** An ICMP error goes to the host whose packet met it: RFC 5508 §4.2. */
  #inboundError(packet: Packet, nowMs: number): boolean {
    const { quoted } = packet;
    if (!quoted) return false;
    const table = quoted.protocol === UDP ? this.#udp : this.#tcp;
    const remote = endpointKey(quoted.destination, quoted.destinationPort);
    const internal = table.internalOf(endpointKey(quoted.source, quoted.sourcePort), remote, nowMs);
    if (internal === 0) return false;
    quoted.source = Math.floor(internal / 65536);
    quoted.sourcePort = internal % 65536;
    packet.destination = quoted.source;
    return true;
  }

  #address(internal: AddressId, random: SeededRandom): AddressId {
    if (this.#pool.length === 1) return this.#pool[0]!;
    if (this.options.pooling === 'arbitrary') return this.#pool[random.integer(this.#pool.length)]!;
    let address = this.#paired.get(internal);
    if (address === undefined)
      this.#paired.set(internal, (address = this.#pool[random.integer(this.#pool.length)]!));
    return address;
  }
}
