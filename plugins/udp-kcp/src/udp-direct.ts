import {
  connected,
  endpointFromJson,
  meetAgain,
  type Candidate,
  failed,
  formatEndpoint,
  type Assessment,
  type Attempt,
  type Pair,
  type PunchStrategy,
  type ScheduledPacket,
  type UdpLease,
  type VerifiedCheck,
  type Endpoint,
} from '@awl/api';
import { admitsByAddress, admitsStrangers, advertOf, endpointOf, hardness, udpBlocked } from './reach.ts';

/** When checks leave, ms after the agreed start: dense while both clocks may differ by a little, then backing off. */
const CHECK_TIMES_MS = [0, 20, 40, 70, 110, 160, 230, 320, 450, 650, 900, 1200, 1600, 2100, 2700, 3400];
/** Where an opener goes first, the checks follow this much later: clocks agree about that well. */
const OPENER_LEAD_MS = 12;
/** The opener passes the own NAT and dies before the peer's: it must not arrive there before the peer has sent (nat.md, poisoning). */
const OPENER_TTL = 2;
/** After this long without an answer the mapping counts as spoilt: take a fresh port. */
const REROLL_AFTER_MS = 900;
const REROLLS = 2;

/**
 * Both sides send from one socket to the other's reflexive endpoint at the agreed instant. Works where the ports are known beforehand: two
 * endpoint-independent mappings, or one side that lets in strangers.
 */
export const udpDirect: PunchStrategy = {
  id: 'udp-direct@1',
  assess,
  async prepare({ sockets, signal }) {
    const leases = await sockets.openUdp();
    const lease = leases[0]!;
    const [mapped] = await Promise.all([lease.reflexive(signal), lease.mapped(signal)]);
    return { leases, advert: { mapped: advertOf(mapped) } };
  },
  async punch(attempt) {
    const target = endpointOf(attempt.peerAdvert, 'mapped');
    const [first] = attempt.leases;
    if (!target || first?.protocol !== 'udp')
      return failed('bad-advert', 'the other side did not say where its socket is');
    const opener = needsOpener(attempt.pair);
    send(first, target, 0, { opener });
    for (const opened of mappedPorts(attempt.pair.remoteCandidates))
      send(first, opened, 0, { opener: false });
    for (let roll = 0; roll < REROLLS; roll++) {
      const check = (await attempt.nextCheck(REROLL_AFTER_MS)) ?? (await freshSockets(attempt));
      if (check) return connected(check);
    }
    const check = await attempt.nextCheck();
    return check ? connected(check) : failed('no-answer', `no answer from ${formatEndpoint(target)}`);
  },
};

/**
 * Fresh sockets on both sides, at one instant: a NAT that remembered a stranger's packet knows nothing of these ports.
 */
async function freshSockets(attempt: Attempt): Promise<VerifiedCheck | undefined> {
  try {
    const [lease] = await attempt.sockets.openUdp();
    const mapped = advertOf(await lease!.reflexive(attempt.signal));
    const { message, startMs = 0, check } = await meetAgain(attempt, mapped);
    const target = endpointFromJson(message);
    if (target) send(lease!, target, startMs, { opener: true });
    return check;
  } catch {
    // No socket, or no STUN server that answers: the sockets of before go on.
    return undefined;
  }
}

/** Ports that the peer's router leads to its socket: anyone's packets get in there. */
function mappedPorts(candidates: readonly Candidate[]): Endpoint[] {
  return candidates
    .filter(({ type, protocol }) => type === 'mapped' && protocol === 'udp')
    .map(({ endpoint }) => endpoint);
}

function send(lease: UdpLease, to: Endpoint, fromMs: number, { opener }: { readonly opener: boolean }): void {
  const checksFromMs = opener ? fromMs + OPENER_LEAD_MS : fromMs;
  const checks = CHECK_TIMES_MS.map((atMs): ScheduledPacket => ({
    kind: 'check',
    to,
    atMs: checksFromMs + atMs,
  }));
  lease.schedule(opener ? [{ kind: 'check', to, atMs: fromMs, ttl: OPENER_TTL }, ...checks] : checks);
}

/** Two filters that each want the own packet first: an early one of the peer may spoil a NAT, so both open theirs before. */
function needsOpener({ local: { udp: local }, remote: { udp: remote } }: Pair): boolean {
  return ![local, remote].some((side) => side.natted === false || admitsStrangers(side));
}

function assess(pair: Pair): Assessment {
  const {
    local: { udp: local },
    remote: { udp: remote },
  } = pair;
  const cost = { expectedMs: 150, probes: 2 * CHECK_TIMES_MS.length };
  if (udpBlocked(pair)) return { likelihood: 0, reason: 'UDP is blocked on one side' };
  if (
    [...pair.localCandidates, ...pair.remoteCandidates].some(
      ({ type, protocol }) => type === 'mapped' && protocol === 'udp',
    )
  )
    return { ...cost, likelihood: 0.98, reason: 'a router leads one of its ports to a side' };
  if (hardness(local) === 'one-port' && hardness(remote) === 'one-port') {
    const sure = local.mapping !== 'unknown' && remote.mapping !== 'unknown';
    return {
      ...cost,
      likelihood: sure ? 0.98 : 0.6,
      reason: sure
        ? 'both sides keep one port for every destination'
        : 'a mapping is unknown: perhaps the port holds',
    };
  }
  if (admitsStrangers(local) || admitsStrangers(remote))
    return { ...cost, likelihood: 0.97, reason: 'one side lets in packets from anywhere' };
  if (admitsByAddress(local) || admitsByAddress(remote))
    return { ...cost, likelihood: 0.95, reason: 'one side lets in every port of an address that it sent to' };
  return {
    likelihood: 0,
    reason: 'a side takes another port for each destination, so it is not known where to send',
  };
}
