import type { Filtering, Mapping } from '@awl/api';

/** How external ports are taken: RFC 4787 §4.2. */
export type AllocationLaw =
  /** The internal port where it is free, else any. */
  | { readonly law: 'preserving' }
  /** Each mapping takes the next port; other users of the NAT take some in between. */
  | { readonly law: 'contiguous'; readonly step: number; readonly foreignPerSecond: number }
  /** Each internal address has blocks of ports of its own (RFC 6888, RFC 7422). */
  | {
      readonly law: 'block';
      readonly size: number;
      readonly within: 'random' | 'contiguous';
      readonly blocksPerHost: number;
    }
  | { readonly law: 'random' }
  /** No translation at all: a stateful firewall. */
  | { readonly law: 'identity' };

/** A NAT's behaviour toward one transport protocol: RFC 4787 for UDP, RFC 5382 for TCP. */
export interface NatBehaviour {
  readonly mapping: Exclude<Mapping, 'unknown'>;
  readonly filtering: Exclude<Filtering, 'unknown'>;
  readonly allocation: AllocationLaw;
  /**
   * True: one external port may serve several mappings as long as their remotes differ, as in the Linux kernel. RFC 4787 REQ-3 forbids it;
   * without it an address has no more mappings than ports.
   */
  readonly overloading: boolean;
  /** What an unsolicited packet meets. */
  readonly unsolicited: 'drop' | 'rst' | 'icmp';
  /**
   * True: an unsolicited packet is remembered for 30 s, and an own flow to that remote which comes later then gets another external port.
   * The Linux kernel does so where its firewall accepts or rejects such packets.
   */
  readonly remembers: boolean;
  /** Drops every packet of this protocol. */
  readonly blocked: boolean;
  /** How long an idle mapping lives. */
  readonly lifetimeMs: number;
  /** TCP: until the handshake is through, and after a FIN. */
  readonly transitoryLifetimeMs: number;
  /** RFC 4787 §4.3: outbound packets always refresh a mapping; here inbound ones may too. */
  readonly inboundRefresh: boolean;
}

/** A NAT. */
export interface NatOptions {
  readonly udp: NatBehaviour;
  readonly tcp: NatBehaviour;
  /** Which address of a pool a mapping gets: RFC 4787 §4.1. */
  readonly pooling: 'paired' | 'arbitrary';
  /** RFC 4787 §6; with the external source address (REQ-9). */
  readonly hairpin: boolean;
  /** External ports, first and last. */
  readonly portRange: readonly [number, number];
  /** Flows (mapping and remote) that the NAT can hold, for each protocol. */
  readonly tableLimit: number;
  /** What happens to the next one. */
  readonly whenFull: 'drop' | 'evict-oldest';
}

const UDP_P: NatBehaviour = {
  mapping: 'EIM',
  filtering: 'APDF',
  allocation: { law: 'preserving' },
  overloading: false,
  unsolicited: 'drop',
  remembers: false,
  blocked: false,
  lifetimeMs: 120_000,
  transitoryLifetimeMs: 120_000,
  inboundRefresh: false,
};

/** The commonest home router: EIM, APDF, ports preserved. */
export const PORT_RESTRICTED: NatOptions = {
  udp: UDP_P,
  tcp: { ...UDP_P, lifetimeMs: 7_440_000 },
  pooling: 'paired',
  hairpin: false,
  portRange: [1024, 65535],
  tableLimit: 262_144,
  whenFull: 'drop',
};

/** {@link PORT_RESTRICTED} with changes: `both` for UDP and TCP, `udp` and `tcp` for one. */
export function natOptions(changes: {
  readonly both?: Partial<NatBehaviour>;
  readonly udp?: Partial<NatBehaviour>;
  readonly tcp?: Partial<NatBehaviour>;
  readonly nat?: Partial<Omit<NatOptions, 'udp' | 'tcp'>>;
}): NatOptions {
  return {
    ...PORT_RESTRICTED,
    ...changes.nat,
    udp: { ...PORT_RESTRICTED.udp, ...changes.both, ...changes.udp },
    tcp: { ...PORT_RESTRICTED.tcp, ...changes.both, ...changes.tcp },
  };
}

/** A stateful firewall without translation, as home routers have it for IPv6 (RFC 6092). */
export const STATEFUL_FIREWALL: NatOptions = natOptions({ both: { allocation: { law: 'identity' } } });
