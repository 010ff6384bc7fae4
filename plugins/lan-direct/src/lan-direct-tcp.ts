import {
  connected,
  delay,
  failed,
  type Attempt,
  type Endpoint,
  type PunchStrategy,
  type TcpLease,
} from '@awl/api';
import { assessLan, lanEndpoints } from './near.ts';

const DIAL_TIMEOUT_MS = 2000;
/** After each refusal it waits longer: nothing may be dialled often before the peer is known to be there. */
const REDIAL_MS = [60, 120, 250, 500, 1000];

/** The controlled side listens, the controlling side dials each of its addresses on this LAN. */
export const lanDirectTcp: PunchStrategy = {
  id: 'lan-direct-tcp@1',
  assess: assessLan,
  async prepare({ sockets }) {
    const leases = await sockets.openTcp();
    return { leases, advert: leases[0]!.local.port };
  },
  async punch(attempt) {
    const [lease] = attempt.leases;
    if (lease?.protocol !== 'tcp') return failed('unsuitable', 'no TCP port was prepared');
    if (attempt.role === 'controlled') {
      await lease.listen();
    } else {
      const endpoints = lanEndpoints(attempt.pair.remoteCandidates, 'tcp', attempt.peerAdvert);
      if (endpoints.length === 0)
        return failed('no-candidates', 'the other side told no address on this LAN');
      // A moment later than the other side begins to listen; all at once, the first that connects proves itself by its check.
      for (const to of endpoints) void redial(attempt, lease, to);
    }
    const check = await attempt.nextCheck();
    return check
      ? connected(check)
      : failed('no-answer', 'no answer on this LAN: it may keep its devices apart');
  },
};

/** The other side may begin to listen a little later. */
async function redial(attempt: Attempt, lease: TcpLease, to: Endpoint): Promise<void> {
  for (let dials = 0, atMs = 5; !attempt.signal.aborted; dials++, atMs = attempt.clock.now()) {
    const outcome = await lease.dial(to, { atMs, timeoutMs: DIAL_TIMEOUT_MS });
    if (outcome === 'connected' || outcome === 'aborted') return;
    await delay(attempt.clock, REDIAL_MS[Math.min(dials, REDIAL_MS.length - 1)]!, attempt.signal).catch(
      () => {},
    );
  }
}
