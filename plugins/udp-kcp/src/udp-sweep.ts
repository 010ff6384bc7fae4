import {
  connected,
  failed,
  type Assessment,
  type Attempt,
  type Pair,
  type PunchOutcome,
  type PunchStrategy,
} from '@awl/api';
import { hardness, remoteAddress, udpBlocked, type Hardness } from './reach.ts';

const ALL_PORTS = 64_512;
/** The whole range takes 11 s. */
const SWEEP_RATE_PPS = 6000;
/** Two random sides: 150 000 packets each meet with a chance of 99 % (1 − e^−(n/64512)²). */
const BOTH_PROBES = 150_000;
const BOTH_RATE_PPS = 12_000;

/** Both sides send to every port of the other. Where a side keeps one port per address, the two packets that fit each other are among them. */
export const udpSweep: PunchStrategy = {
  id: 'udp-sweep@1',
  assess: (pair) =>
    judge(pair, (kinds) => kinds.includes('per-address'), {
      likelihood: 0.95,
      expectedMs: 6000,
      probes: ALL_PORTS,
      reason: 'no port is known beforehand: all of them are tried',
    }),
  punch: (attempt) => search(attempt, ALL_PORTS, SWEEP_RATE_PPS),
};

/** No side keeps a port, at least one takes them at random: enough packets from both make two that fit each other likely. */
export const udpBirthdayBoth: PunchStrategy = {
  id: 'udp-birthday-both@1',
  assess: (pair) =>
    judge(pair, (kinds) => kinds.includes('random') && !kinds.includes('per-address'), {
      likelihood: 0.95,
      expectedMs: 5500,
      probes: BOTH_PROBES,
      reason: 'no side’s next port is known to the other: a long search finds two that fit',
    }),
  punch: (attempt) => search(attempt, BOTH_PROBES, BOTH_RATE_PPS),
};

async function search(attempt: Attempt, probes: number, ratePps: number): Promise<PunchOutcome> {
  const address = remoteAddress(attempt.pair);
  if (address === undefined) return failed('bad-advert', 'the other side’s address is not known');
  const total = Math.min(probes, attempt.budget.probes);
  // One socket reaches each port once; what goes beyond takes another.
  const leases = await attempt.sockets.openUdp({ count: Math.ceil(total / ALL_PORTS) });
  const startMs = Math.max(0, attempt.clock.now());
  const sweeps = leases.map((lease, index) => {
    const count = Math.min(ALL_PORTS, total - index * ALL_PORTS);
    const atMs = startMs + (index * ALL_PORTS * 1000) / ratePps;
    return lease.sweep({
      kind: 'check',
      to: address,
      ports: 'random',
      seed: attempt.random.integer(0x7fffffff),
      count,
      ratePps,
      atMs,
    });
  });
  const wholeMs = (total * 1000) / ratePps;
  for (;;) {
    const doneMs = attempt.clock.now() - startMs;
    attempt.progress({
      done: Math.min(total, Math.round((doneMs * ratePps) / 1000)),
      of: total,
      etaMs: Math.max(0, wholeMs - doneMs),
    });
    const check = await attempt.nextCheck(500);
    if (!check && !attempt.signal.aborted && attempt.clock.now() < attempt.budget.deadlineMs) continue;
    for (const sweep of sweeps) sweep[Symbol.dispose]();
    return check ? connected(check) : failed('no-answer', `no two of ${total} packets each fitted`);
  }
}

function judge(
  pair: Pair,
  suits: (kinds: readonly Hardness[]) => boolean,
  assessment: Assessment,
): Assessment {
  const kinds = [hardness(pair.local.udp), hardness(pair.remote.udp)];
  if (udpBlocked(pair)) return { likelihood: 0, reason: 'UDP is blocked on one side' };
  if (kinds.includes('one-port') || !suits(kinds))
    return { likelihood: 0, reason: 'cheaper ways suit this pair' };
  if (!pair.exhaustive)
    return {
      likelihood: 0,
      reason: 'a search of all ports is not allowed on both sides (probing.exhaustive)',
    };
  return assessment;
}
