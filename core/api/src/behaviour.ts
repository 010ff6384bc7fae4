/** How a NAT chooses the external port of a mapping: RFC 4787 §4.1, RFC 5382 §4.1. */
export type Mapping = 'EIM' | 'ADM' | 'APDM' | 'unknown';
/** Whom a NAT lets in through a mapping: RFC 4787 §5, RFC 5382 §4.3. */
export type Filtering = 'EIF' | 'ADF' | 'APDF' | 'unknown';
/** The law by which external ports are taken: RFC 4787 §4.2. */
export type Allocation = 'preserving' | 'contiguous' | 'block' | 'random' | 'unknown';
/** How external addresses are taken from a pool: RFC 4787 §4.1. */
export type Pooling = 'paired' | 'arbitrary' | 'unknown';
/** What an unsolicited packet meets: silence, a TCP RST, an ICMP error. */
export type Unsolicited = 'drop' | 'rst' | 'icmp' | 'unknown';

/** What is known of a network's NAT for one transport protocol. Unknown is said, never guessed. */
export interface TransportBehaviour {
  /** True: nothing of this protocol comes back from the rendezvous. */
  readonly blocked: boolean | 'unknown';
  /** False: the host's own address is what the rendezvous sees. */
  readonly natted: boolean | 'unknown';
  readonly mapping: Mapping;
  readonly filtering: Filtering;
  readonly allocation: Allocation;
  /** Distance between consecutive external ports where `allocation` is `contiguous`; may be negative. */
  readonly step?: number;
  readonly pooling: Pooling;
  /** Whether a packet to the own external endpoint comes back in (RFC 4787 §6). */
  readonly hairpin: boolean | 'unknown';
  readonly unsolicited: Unsolicited;
  /** How long an idle mapping lives, seconds, where measured. */
  readonly lifetimeS?: number;
  /** The external endpoint seen last. */
  readonly external?: { readonly address: string; readonly port: number };
  /** 0 to 1 for each field that has a verdict. */
  readonly confidence: { readonly [field: string]: number };
}

/** The behaviour vector of a network: UDP and TCP apart, since many routers differ. */
export interface BehaviourVector {
  readonly udp: TransportBehaviour;
  readonly tcp: TransportBehaviour;
  /** NATs in a row between host and internet, where known. */
  readonly layers?: number;
  /** True where the host has a usable global IPv6 address. */
  readonly ipv6?: boolean;
}

/** Nothing known. */
export const UNKNOWN_BEHAVIOUR: TransportBehaviour = {
  blocked: 'unknown',
  natted: 'unknown',
  mapping: 'unknown',
  filtering: 'unknown',
  allocation: 'unknown',
  pooling: 'unknown',
  hairpin: 'unknown',
  unsolicited: 'unknown',
  confidence: {},
};

/**
 * The classic name of a behaviour (RFC 3489), for display only: names never decide anything.
 */
export function behaviourAlias(behaviour: TransportBehaviour): string {
  if (behaviour.blocked === true) return 'blocked';
  if (behaviour.natted === false) return behaviour.filtering === 'EIF' ? 'open' : 'open behind a firewall';
  if (behaviour.mapping === 'unknown') return 'unknown';
  if (behaviour.mapping !== 'EIM') return 'symmetric';
  if (behaviour.filtering === 'EIF') return 'full cone';
  if (behaviour.filtering === 'ADF') return 'restricted cone';
  return behaviour.filtering === 'APDF' ? 'port-restricted cone' : 'cone';
}
