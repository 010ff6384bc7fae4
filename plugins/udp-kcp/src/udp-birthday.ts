import { connected, failed, type Assessment, type Pair, type PunchStrategy } from '@awl/api';
import { advertOf, endpointOf, hardness, remoteAddress, udpBlocked } from './reach.ts';

/** Sockets of the side whose ports are random: each holds one random port open. */
const SOCKETS = 512;
/** Packets of the side that keeps one port. 1500 miss all of 512 ports out of 64512 once in 150 000 times. */
const GUESSES = 1500;
const GUESS_RATE_PPS = 2000;
/**
 * When each of the many sockets opens its port. First with a time-to-live that ends between the NATs: 512 packets of strangers would spoil
 * a NAT that remembers them before its own side has guessed. The last goes all the way, for networks with more hops.
 */
const OPENINGS = [{ atMs: 0, ttl: 2 }, { atMs: 60, ttl: 3 }, { atMs: 500 }] as const;
/** Guessing begins when the first ports are open. */
const GUESS_AFTER_MS = 10;

/**
 * One side keeps one port, the other takes a random one for each destination: it opens many, the first guesses. By the birthday bound
 * a hit comes after 126 packets on average.
 */
export const udpBirthday: PunchStrategy = {
  id: 'udp-birthday@1',
  assess,
  async prepare({ sockets, local, signal }) {
    if (hardness(local.udp) !== 'one-port') return { leases: [] };
    const leases = await sockets.openUdp();
    return { leases, advert: { mapped: advertOf(await leases[0]!.reflexive(signal)) } };
  },
  async punch(attempt) {
    const { pair, budget } = attempt;
    if (hardness(pair.local.udp) === 'one-port') {
      const [lease] = attempt.leases;
      const address = remoteAddress(pair);
      if (lease?.protocol !== 'udp' || address === undefined)
        return failed('bad-advert', 'the other side’s address is not known');
      const count = Math.min(GUESSES, budget.probes);
      const sweep = lease.sweep({
        kind: 'check',
        to: address,
        ports: 'random',
        seed: attempt.random.integer(0x7fffffff),
        count,
        ratePps: GUESS_RATE_PPS,
        atMs: GUESS_AFTER_MS,
      });
      attempt.progress({ done: 0, of: count, etaMs: 250 });
      const check = await attempt.nextCheck();
      sweep[Symbol.dispose]();
      return check ? connected(check) : failed('no-answer', `none of ${count} guessed ports answered`);
    }
    const target = endpointOf(attempt.peerAdvert, 'mapped');
    if (!target) return failed('bad-advert', 'the other side did not say where its socket is');
    const leases = await attempt.sockets.openUdp({ count: Math.min(SOCKETS, budget.sockets) });
    for (const lease of leases)
      lease.schedule(OPENINGS.map((opening) => ({ kind: 'check', to: target, ...opening })));
    attempt.progress({ done: leases.length, of: leases.length });
    const check = await attempt.nextCheck();
    return check
      ? connected(check)
      : failed('no-answer', `nothing came back to any of ${leases.length} sockets`);
  },
};

function assess(pair: Pair): Assessment {
  if (udpBlocked(pair)) return { likelihood: 0, reason: 'UDP is blocked on one side' };
  const kinds = [hardness(pair.local.udp), hardness(pair.remote.udp)];
  const hard = kinds.find((kind) => kind !== 'one-port');
  if (!kinds.includes('one-port') || hard === undefined) {
    return {
      likelihood: 0,
      reason:
        hard === undefined
          ? 'both sides keep one port: there is nothing to guess'
          : 'neither side keeps one port to send to',
    };
  }
  return {
    likelihood: 0.98,
    expectedMs: 300,
    probes: Math.max(GUESSES, SOCKETS * OPENINGS.length),
    reason: `one side’s ports are random: ${SOCKETS} of them are opened, and the other side guesses`,
  };
}
