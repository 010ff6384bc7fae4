import { natOptions, PORT_RESTRICTED, type NatOptions } from './nat-behaviour.ts';

/** How a place is built around its NAT. */
export type Layout =
  /** The host itself has a public address. */
  | 'public'
  /** A home behind a router. */
  | 'home'
  /** A home behind a router behind a carrier's NAT. */
  | 'carrier'
  /** Both peers on one LAN. */
  | 'same-lan'
  /** Both peers behind one router, on LANs that do not reach each other. */
  | 'same-nat'
  /** Two homes behind one carrier's NAT. */
  | 'same-carrier';

/** A kind of place that a peer may be in. */
export interface Kind {
  readonly layout: Layout;
  /** One line for tables. */
  readonly title: string;
  /** The home router's NAT. */
  readonly nat: NatOptions;
  /** The carrier's NAT, where there is one. */
  readonly carrier?: NatOptions;
  /** True: IPv6 beside IPv4, behind a stateful firewall. */
  readonly ipv6?: boolean;
}

const P = PORT_RESTRICTED;
const RANDOM_APDM = { mapping: 'APDM', allocation: { law: 'random' }, overloading: true } as const;
const CARRIER_EIM = natOptions({
  both: { filtering: 'EIF', allocation: { law: 'random' } },
  nat: { hairpin: true },
});

/** The kinds by the short names of the matrix. */
export const KINDS = {
  open: { layout: 'public', title: 'public address, no NAT', nat: P },
  F: { layout: 'home', title: 'EIM, EIF', nat: natOptions({ both: { filtering: 'EIF' } }) },
  R: { layout: 'home', title: 'EIM, ADF', nat: natOptions({ both: { filtering: 'ADF' } }) },
  P: { layout: 'home', title: 'EIM, APDF', nat: P },
  A: {
    layout: 'home',
    title: 'ADM, APDF, random ports',
    nat: natOptions({ both: { mapping: 'ADM', allocation: { law: 'random' } } }),
  },
  Q: {
    layout: 'home',
    title: 'APDM, APDF, contiguous ports with a little foreign traffic',
    nat: natOptions({
      both: { mapping: 'APDM', allocation: { law: 'contiguous', step: 1, foreignPerSecond: 5 } },
    }),
  },
  X: { layout: 'home', title: 'APDM, APDF, random ports', nat: natOptions({ both: RANDOM_APDM }) },
  rst: {
    layout: 'home',
    title: 'P that answers unsolicited SYNs with RST',
    nat: natOptions({ tcp: { unsolicited: 'rst' } }),
  },
  poison: {
    layout: 'home',
    title: 'P that remembers unsolicited packets, and then moves the own flow to another port',
    nat: natOptions({ both: { remembers: true } }),
  },
  udpblocked: {
    layout: 'home',
    title: 'P for TCP; UDP dropped',
    nat: natOptions({ udp: { blocked: true } }),
  },
  cgn: {
    layout: 'carrier',
    title: 'P behind a carrier NAT with EIM, EIF, random ports, hairpin',
    nat: P,
    carrier: CARRIER_EIM,
  },
  cgnx: {
    layout: 'carrier',
    title: 'P behind a carrier NAT with APDM, APDF, random ports',
    nat: P,
    carrier: natOptions({ both: RANDOM_APDM }),
  },
  samelan: { layout: 'same-lan', title: 'both peers on one LAN behind P', nat: P },
  samenat: {
    layout: 'same-nat',
    title: 'both peers behind one P that hairpins, on LANs kept apart',
    nat: natOptions({ nat: { hairpin: true } }),
  },
  samecgn: {
    layout: 'same-carrier',
    title: 'two homes behind one carrier NAT',
    nat: P,
    carrier: CARRIER_EIM,
  },
  ipv6: {
    layout: 'home',
    title: 'IPv6 behind a stateful firewall, beside IPv4 behind P',
    nat: P,
    ipv6: true,
  },
} as const satisfies { readonly [name: string]: Kind };

/** The short name of a kind. */
export type KindName = keyof typeof KINDS;
