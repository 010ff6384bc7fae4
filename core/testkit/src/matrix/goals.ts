import type { KindName } from '../network/kinds.ts';

/** What one pair of kinds must reach over one transport, at a round trip of 40 ms between the peers. Times count from the moment both have begun. */
export type Goal =
  | {
      readonly reach: 'direct';
      /** 0 to 1. */
      readonly successRatio: number;
      /** Until the first check that went both ways. */
      readonly medianCheckMs?: number;
      /** Until both sides hold the path, as is the next. */
      readonly medianMs?: number;
      readonly p95Ms?: number;
      /** Median of both sides' packets and dials together. */
      readonly probes?: number;
    }
  /** There is no way through; the attempt must say so at once. */
  | { readonly reach: 'impossible' }
  /** Whatever comes of it is shown; nothing is promised. */
  | { readonly reach: 'open' };

/** What a kind's NAT means for the way through. */
type Class =
  /** Lets in strangers: open, F. */
  | 'reachable'
  /** One external port for all destinations. */
  | 'cone'
  | 'ADM'
  | 'contiguous'
  | 'random'
  | 'blocked';

const CLASSES: { readonly [kind in KindName]: Class } = {
  open: 'reachable',
  F: 'reachable',
  R: 'cone',
  P: 'cone',
  A: 'ADM',
  Q: 'contiguous',
  X: 'random',
  rst: 'cone',
  poison: 'cone',
  udpblocked: 'cone',
  cgn: 'cone',
  cgnx: 'random',
  samelan: 'cone',
  samenat: 'cone',
  samecgn: 'cone',
  ipv6: 'cone',
};

const RTT_MS = 40;
/** The opener that goes before the first check, and the way through LANs and carriers, which is not in the round trip. */
const SLACK_MS = 20;
/** What "at once" comes to. Over UDP: a check, a round trip, and its nomination, another. TCP takes one more before, to connect. */
const AT_ONCE = {
  udp: { reach: 'direct', successRatio: 1, medianCheckMs: RTT_MS + SLACK_MS },
  tcp: { reach: 'direct', successRatio: 1, medianCheckMs: 2 * RTT_MS + SLACK_MS },
} as const satisfies { readonly [transport: string]: Goal };
const TWO_RTT: Goal = { reach: 'direct', successRatio: 1, medianCheckMs: 2 * RTT_MS + SLACK_MS };
const BOTH_CONES: Goal = { reach: 'direct', successRatio: 1, p95Ms: 2 * RTT_MS + 150 };
/** A side that begins late finds its NAT spoilt by the other's packets: it takes a second try. */
const SECOND_TRY: Goal = { reach: 'direct', successRatio: 0.99, p95Ms: 3000 };
const ONE_CONTIGUOUS: Goal = { reach: 'direct', successRatio: 0.99, medianMs: 200 };
const ONE_HARD: Goal = { reach: 'direct', successRatio: 0.99, medianMs: 500, probes: 1500 };
const ONE_HARD_TCP: Goal = { reach: 'direct', successRatio: 0.99, medianMs: 500 };
const BOTH_CONTIGUOUS: Goal = { reach: 'direct', successRatio: 0.95, medianMs: 1000 };
const SWEEP: Goal = { reach: 'direct', successRatio: 0.9, medianMs: 13_000 };
/** 150 000 packets of each side. */
const BOTH_RANDOM: Goal = { reach: 'direct', successRatio: 0.95, medianMs: 15_000, probes: 300_000 };
/** Kinds whose NAT an early packet of the peer spoils, for UDP and for TCP. */
const SPOILT: { readonly udp: readonly KindName[]; readonly tcp: readonly KindName[] } = {
  udp: ['poison'],
  tcp: ['poison', 'rst'],
};

/** The goal of a pair, in either order. */
export function goalOf(local: KindName, remote: KindName, transport: 'udp' | 'tcp'): Goal {
  if (local === remote && local === 'samelan') return { reach: 'direct', successRatio: 1, medianMs: 50 };
  if (local === remote && local === 'ipv6') return TWO_RTT;
  return transport === 'udp' ? udpGoal(local, remote) : tcpGoal(local, remote);
}

function udpGoal(local: KindName, remote: KindName): Goal {
  if (local === 'udpblocked' || remote === 'udpblocked') return { reach: 'impossible' };
  const classes = [CLASSES[local], CLASSES[remote]];
  const has = (wanted: Class): boolean => classes.includes(wanted);
  if (has('reachable')) return AT_ONCE.udp;
  if (classes.every((each) => each === 'cone'))
    return isSpoilt(local, remote, 'udp') ? SECOND_TRY : BOTH_CONES;
  if (has('cone')) return has('contiguous') ? ONE_CONTIGUOUS : ONE_HARD;
  if (classes.every((each) => each === 'contiguous')) return BOTH_CONTIGUOUS;
  return classes.every((each) => each === 'random') ? BOTH_RANDOM : SWEEP;
}

function tcpGoal(local: KindName, remote: KindName): Goal {
  const classes = [CLASSES[local], CLASSES[remote]];
  const has = (wanted: Class): boolean => classes.includes(wanted);
  if (classes.every((each) => each === 'cone' || each === 'reachable') && isSpoilt(local, remote, 'tcp'))
    return SECOND_TRY;
  if (has('reachable')) return AT_ONCE.tcp;
  if (classes.every((each) => each === 'cone')) return BOTH_CONES;
  if (!has('cone')) return { reach: 'open' };
  // The time-to-live of a SYN cannot be set: the hard side cannot open its filter without spoiling the other's NAT.
  return isSpoilt(local, remote, 'tcp') ? { reach: 'open' } : ONE_HARD_TCP;
}

function isSpoilt(local: KindName, remote: KindName, transport: 'udp' | 'tcp'): boolean {
  return SPOILT[transport].includes(local) || SPOILT[transport].includes(remote);
}
