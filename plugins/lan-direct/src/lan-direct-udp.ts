import { connected, failed, type PunchStrategy, type ScheduledPacket } from '@awl/api';
import { assessLan, lanEndpoints } from './near.ts';

const CHECK_TIMES_MS = [0, 10, 30, 80, 200, 500];

/** Checks to each of the peer's addresses on this LAN. */
export const lanDirectUdp: PunchStrategy = {
  id: 'lan-direct@1',
  assess: assessLan,
  async prepare({ sockets }) {
    const leases = await sockets.openUdp();
    return { leases, advert: leases[0]!.local.port };
  },
  async punch(attempt) {
    const [lease] = attempt.leases;
    const endpoints = lanEndpoints(attempt.pair.remoteCandidates, 'udp', attempt.peerAdvert);
    if (lease?.protocol !== 'udp' || endpoints.length === 0)
      return failed('no-candidates', 'the other side told no address on this LAN');
    lease.schedule(
      CHECK_TIMES_MS.flatMap((atMs) => endpoints.map((to): ScheduledPacket => ({ kind: 'check', to, atMs }))),
    );
    const check = await attempt.nextCheck();
    return check
      ? connected(check)
      : failed('no-answer', 'no answer on this LAN: it may keep its devices apart');
  },
};
