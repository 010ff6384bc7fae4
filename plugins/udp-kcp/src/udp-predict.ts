import {
  connected,
  endpointFromJson,
  meetAgain,
  failed,
  type Assessment,
  type Attempt,
  type Pair,
  type PunchStrategy,
  type Random,
  type Running,
  type UdpLease,
} from '@awl/api';
import { advertOf, endpointOf, hardness, udpBlocked, type Hardness } from './reach.ts';

/** Ports after the last one seen that are tried: others' traffic on the same router takes some in between. */
const WINDOW = 40;
/** How far the two sides' counters may have run apart where both are contiguous. */
const DRIFT = 12;
const DIAGONAL_PACKETS = 240;
const SPACING_MS = 2;
const ROUNDS = 3;
const ROUND_MS = 450;

/**
 * A router that takes one external port after the other betrays the next ones. Against a side that keeps one port, the window of ports
 * after the last seen is tried; where both count, both walk up together, each guessing a little ahead of the other.
 */
export const udpPredict: PunchStrategy = {
  id: 'udp-predict@1',
  assess,
  async prepare({ sockets, signal }) {
    const leases = await sockets.openUdp();
    return { leases, advert: { mapped: advertOf(await leases[0]!.reflexive(signal)) } };
  },
  async punch(attempt) {
    let [lease] = attempt.leases;
    let seen = endpointOf(attempt.peerAdvert, 'mapped');
    if (!seen || lease?.protocol !== 'udp')
      return failed('bad-advert', 'the other side did not say where its socket is');
    let fromMs = 0;
    for (let round = 0; round < ROUNDS && !attempt.signal.aborted; round++) {
      const walking = walk(attempt, lease, seen, fromMs);
      const check = await attempt.nextCheck(round === ROUNDS - 1 ? undefined : ROUND_MS);
      if (check) return connected(check);
      if (attempt.signal.aborted || round === ROUNDS - 1) break;
      // A walk that goes on would move the counter while it is looked at.
      walking[Symbol.dispose]();
      // Fresh sockets and fresh sightings: the ports that were guessed are behind the counter now.
      const [next] = await attempt.sockets.openUdp();
      const met = await meetAgain(attempt, advertOf(await next!.reflexive(attempt.signal)));
      if (met.check) return connected(met.check);
      lease = next!;
      seen = endpointFromJson(met.message) ?? seen;
      fromMs = met.startMs ?? 0;
    }
    return failed('no-answer', `none of the ports after ${seen.port} answered`);
  },
};

function walk(
  attempt: Attempt,
  lease: UdpLease,
  seen: { readonly address: string; readonly port: number },
  fromMs: number,
): Running {
  const { local, remote } = attempt.pair;
  const step = remote.udp.step ?? 1;
  const at = (index: number) => ({
    kind: 'check' as const,
    to: { address: seen.address, port: wrap(seen.port + index * step) },
    atMs: fromMs + index * SPACING_MS,
  });
  const [ours, theirs] = [hardness(local.udp), hardness(remote.udp)];
  if (theirs !== 'contiguous') {
    // One port at the other side: everything goes there, and each packet may be the one that its window waits for.
    const times = [0, 15, 40, 80, 150, 250, 400];
    return lease.schedule(
      times.map((afterMs) => ({ kind: 'check' as const, to: seen, atMs: fromMs + afterMs })),
    );
  }
  if (ours !== 'contiguous') {
    return lease.schedule(Array.from({ length: WINDOW }, (_, index) => at(index + 1)));
  }
  // Each port once: a second packet to one would make no new mapping, and our own counter would fall behind the walk.
  const ahead = shuffledInBlocks(DIAGONAL_PACKETS, DRIFT, attempt.random);
  return lease.schedule(
    ahead.map((target, index) => ({ ...at(target + 1), atMs: fromMs + index * SPACING_MS })),
  );
}

/** 0 … count − 1 in order, but for each block of `size`, which is shuffled (Fisher–Yates). */
function shuffledInBlocks(count: number, size: number, random: Random): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let start = 0; start < count; start += size) {
    for (let left = Math.min(size, count - start); left > 1; left--) {
      const [a, b] = [start + left - 1, start + random.integer(left)];
      [order[a], order[b]] = [order[b]!, order[a]!];
    }
  }
  return order;
}

/** Routers that count start again at the bottom of their range. */
function wrap(port: number): number {
  const lowest = 1024;
  const size = 65_536 - lowest;
  return lowest + ((((port - lowest) % size) + size) % size);
}

function assess(pair: Pair): Assessment {
  if (udpBlocked(pair)) return { likelihood: 0, reason: 'UDP is blocked on one side' };
  const kinds: readonly Hardness[] = [hardness(pair.local.udp), hardness(pair.remote.udp)];
  const counting = kinds.filter((kind) => kind === 'contiguous').length;
  if (counting === 0) return { likelihood: 0, reason: 'no side takes its ports one after the other' };
  if (counting === 2)
    return {
      likelihood: 0.9,
      expectedMs: 300,
      probes: ROUNDS * DIAGONAL_PACKETS,
      reason: 'both sides take their ports one after the other',
    };
  if (kinds.includes('one-port'))
    return {
      likelihood: 0.95,
      expectedMs: 150,
      probes: ROUNDS * WINDOW,
      reason: 'one side takes its ports one after the other, the other keeps one',
    };
  return { likelihood: 0, reason: 'the ports of the other side cannot be predicted' };
}
