import {
  connected,
  failed,
  formatEndpoint,
  type Assessment,
  type Pair,
  type PunchStrategy,
  type ScheduledPacket,
  type UdpLease,
  type Endpoint,
} from '@awl/api';
import { admitsByAddress, admitsStrangers, advertOf, endpointOf, hardness, udpBlocked } from './reach.ts';

/** When checks leave, ms after the agreed start: dense while both clocks may differ by a little, then backing off. */
const CHECK_TIMES_MS = [20, 40, 70, 110, 160, 230, 320, 450, 650, 900, 1200, 1600, 2100, 2700, 3400];
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
    return { leases, advert: { mapped: advertOf(await leases[0]!.reflexive(signal)) } };
  },
  async punch(attempt) {
    let target = endpointOf(attempt.peerAdvert, 'mapped');
    const [first] = attempt.leases;
    if (!target || first?.protocol !== 'udp')
      return failed('bad-advert', 'the other side did not say where its socket is');
    send(first, target, 0);
    for (let roll = 0; ; roll++) {
      const check = await attempt.nextCheck(roll < REROLLS ? REROLL_AFTER_MS : undefined);
      if (check) return connected(check);
      if (attempt.signal.aborted || roll === REROLLS)
        return failed('no-answer', `no answer from ${formatEndpoint(target)}`);
      target = await reroll(attempt, target);
    }
  },
};

/** A fresh socket on both sides, at an instant both know: a NAT that remembered a stranger's packet knows nothing of these ports. */
async function reroll(attempt: Parameters<PunchStrategy['punch']>[0], known: Endpoint): Promise<Endpoint> {
  const [lease] = await attempt.sockets.openUdp();
  const mapped = await lease!.reflexive(attempt.signal);
  await attempt.exchange({ mapped: advertOf(mapped) });
  const target = endpointOf(await attempt.nextMessage(REROLL_AFTER_MS), 'mapped') ?? known;
  send(lease!, target, attempt.clock.now());
  return target;
}

function send(lease: UdpLease, to: Endpoint, fromMs: number): void {
  const opener: ScheduledPacket = { kind: 'check', to, atMs: fromMs, ttl: OPENER_TTL };
  lease.schedule([
    opener,
    ...CHECK_TIMES_MS.map((atMs): ScheduledPacket => ({ kind: 'check', to, atMs: fromMs + atMs })),
  ]);
}

function assess(pair: Pair): Assessment {
  const {
    local: { udp: local },
    remote: { udp: remote },
  } = pair;
  const cost = { expectedMs: 150, probes: 2 * CHECK_TIMES_MS.length };
  if (udpBlocked(pair)) return { likelihood: 0, reason: 'UDP is blocked on one side' };
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
