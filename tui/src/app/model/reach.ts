import type { BehaviourVector, TransportBehaviour } from '@awl/api';

/** How a pair of networks gets a direct connection: `opt-in` by a search the user must allow, `no` not at all. */
export type Reach = 'yes' | 'opt-in' | 'no' | 'unknown';

/** One kind of network at the other side, and what becomes of the pair. */
export interface ReachRow {
  readonly label: string;
  readonly reach: Reach;
  /** The way, or the remedy. */
  readonly how: string;
  /** Roughly how long it takes, milliseconds. */
  readonly expectedMs?: number;
}

/** What a network is to the other side: how hard its next external port is to hit. */
type Kind = 'open' | 'fixed' | 'counting' | 'per-address' | 'random' | 'blocked' | 'unknown';

interface Remote {
  readonly label: string;
  readonly udp: Kind;
  readonly tcp: Kind;
  readonly ipv6?: boolean;
}

const REMOTES: readonly Remote[] = [
  { label: 'no NAT', udp: 'open', tcp: 'open' },
  { label: 'port mapped by the router', udp: 'open', tcp: 'open' },
  { label: 'EIM/EIF  full cone', udp: 'open', tcp: 'open' },
  { label: 'EIM/ADF  restricted cone', udp: 'fixed', tcp: 'fixed' },
  { label: 'EIM/APDF port-restricted cone', udp: 'fixed', tcp: 'fixed' },
  { label: 'ADM/EIF  a port for each address', udp: 'open', tcp: 'open' },
  { label: 'ADM/ADF  a port for each address', udp: 'per-address', tcp: 'per-address' },
  { label: 'ADM/APDF a port for each address', udp: 'per-address', tcp: 'per-address' },
  { label: 'APDM/EIF  ports count up', udp: 'open', tcp: 'open' },
  { label: 'APDM/ADF  ports count up', udp: 'counting', tcp: 'counting' },
  { label: 'APDM/APDF ports count up', udp: 'counting', tcp: 'counting' },
  { label: 'APDM/EIF  ports at random', udp: 'open', tcp: 'open' },
  { label: 'APDM/ADF  ports at random', udp: 'random', tcp: 'random' },
  { label: 'APDM/APDF ports at random', udp: 'random', tcp: 'random' },
  { label: 'UDP blocked, one TCP port for everyone', udp: 'blocked', tcp: 'fixed' },
  { label: 'UDP blocked, TCP ports at random', udp: 'blocked', tcp: 'random' },
];

/** How hard the own next port is to hit from outside. */
function kindOf(behaviour: TransportBehaviour): Kind {
  if (behaviour.blocked === true) return 'blocked';
  if (behaviour.natted === false && behaviour.filtering === 'EIF') return 'open';
  if (behaviour.natted === false) return 'fixed';
  if (behaviour.mapping === 'unknown') return 'unknown';
  if (behaviour.filtering === 'EIF') return 'open';
  if (behaviour.mapping === 'EIM') return 'fixed';
  if (behaviour.mapping === 'ADM') return 'per-address';
  return behaviour.allocation === 'contiguous' || behaviour.allocation === 'block'
    ? 'counting'
    : behaviour.allocation === 'unknown'
      ? 'unknown'
      : 'random';
}

interface Way {
  readonly reach: Reach;
  readonly how: string;
  readonly expectedMs?: number;
}

const NO_WAY: Way = { reach: 'no', how: 'turn on port mapping or IPv6 at one side' };
const UNKNOWN_WAY: Way = { reach: 'unknown', how: 'run discovery' };
const hardness: { readonly [K in Kind]: number } = {
  open: 0,
  fixed: 1,
  counting: 2,
  'per-address': 3,
  random: 4,
  unknown: 5,
  blocked: 6,
};

/** The way between two kinds over UDP, by the table of goals for each pair. */
function udpWay(a: Kind, b: Kind): Way {
  const [easy, hard] = hardness[a] <= hardness[b] ? [a, b] : [b, a];
  if (hard === 'blocked') return NO_WAY;
  if (hard === 'unknown') return easy === 'open' ? { reach: 'yes', how: 'one side is open' } : UNKNOWN_WAY;
  if (easy === 'open') return { reach: 'yes', how: 'udp-direct', expectedMs: 50 };
  if (easy === 'fixed' && hard === 'fixed') return { reach: 'yes', how: 'udp-direct', expectedMs: 150 };
  if (easy === 'fixed' && hard === 'counting') return { reach: 'yes', how: 'udp-predict', expectedMs: 200 };
  if (easy === 'fixed') return { reach: 'yes', how: 'udp-birthday', expectedMs: 500 };
  if (easy === 'counting' && hard === 'counting')
    return { reach: 'yes', how: 'udp-predict', expectedMs: 1000 };
  if (easy === 'random')
    return { reach: 'opt-in', how: 'udp-birthday-both, a long search', expectedMs: 9000 };
  return { reach: 'yes', how: 'udp-sweep', expectedMs: 13_000 };
}

function tcpWay(a: Kind, b: Kind): Way {
  const [easy, hard] = hardness[a] <= hardness[b] ? [a, b] : [b, a];
  if (hard === 'blocked') return NO_WAY;
  if (hard === 'unknown') return easy === 'open' ? { reach: 'yes', how: 'one side is open' } : UNKNOWN_WAY;
  if (easy === 'open') return { reach: 'yes', how: 'TCP to the open side', expectedMs: 50 };
  if (easy === 'fixed' && hard === 'fixed')
    return { reach: 'yes', how: 'tcp-simultaneous-open', expectedMs: 150 };
  if (easy === 'fixed') return { reach: 'yes', how: 'tcp-birthday', expectedMs: 500 };
  return NO_WAY;
}

const rank: { readonly [R in Reach]: number } = { yes: 0, 'opt-in': 1, unknown: 2, no: 3 };

/**
 * Whether a network with this behaviour gets a direct connection to each kind of network: an estimate from the behaviours alone, not a promise.
 * @param isMapped the own router holds a port mapping open, so that everyone may come in
 */
export function reachOf(own: BehaviourVector, isMapped = false): readonly ReachRow[] {
  const udp = isMapped ? 'open' : kindOf(own.udp);
  const tcp = kindOf(own.tcp);
  return REMOTES.map((remote) => {
    const ways = [udpWay(udp, remote.udp), tcpWay(tcp, remote.tcp)].sort(
      (a, b) => rank[a.reach] - rank[b.reach] || (a.expectedMs ?? 0) - (b.expectedMs ?? 0),
    );
    return { label: remote.label, ...(ways[0] ?? UNKNOWN_WAY) };
  });
}
