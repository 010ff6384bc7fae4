import {
  connected,
  delay,
  failed,
  formatEndpoint,
  type Assessment,
  type Attempt,
  type Endpoint,
  type Pair,
  type PunchStrategy,
  type TcpLease,
  type TransportBehaviour,
} from '@awl/api';
import { endpointOf, keepsOnePort } from './reach.ts';

/**
 * Redials are spread at random: two sides that redial in step after a RST would meet the other's closed port each time.
 */
const REDIAL_MS = { least: 15, spread: 110 };
/** A SYN that got lost is repeated by the system after a second; a fresh dial after this long comes sooner on a path of any RTT. */
const DIAL_TIMEOUT_MS = 900;
/** The side that others reach on one port listens this long after its own SYN opened the filter. */
const LISTEN_AFTER_MS = 30;

/** Both sides connect from their punched port to the other's at the agreed instant; the SYNs cross. */
export const tcpSimultaneousOpen: PunchStrategy = {
  id: 'tcp-simultaneous-open@1',
  assess,
  async prepare({ sockets, signal }) {
    const leases = await sockets.openTcp();
    const { address, port } = await leases[0]!.reflexive(signal);
    return { leases, advert: { address, port } };
  },
  async punch(attempt) {
    const target = endpointOf(attempt.peerAdvert);
    const [lease] = attempt.leases;
    if (!target || lease?.protocol !== 'tcp')
      return failed('bad-advert', 'the other side did not say where its port is');
    const done = new AbortController();
    const { local, remote } = attempt.pair;
    const dialling = keepsOnePort(remote.tcp)
      ? redial(attempt, lease, target, done.signal)
      : dialThenListen(attempt, lease, target);
    dialling.catch(() => {}); // an aborted delay; the check's absence tells it below
    const check = await attempt.nextCheck();
    done.abort();
    return check
      ? connected(check)
      : failed(
          'no-answer',
          `no connection with ${formatEndpoint(target)}${local.tcp.unsolicited === 'rst' ? ', whose router answers early SYNs by RST' : ''}`,
        );
  },
};

/** Dials until a check came over a connection: refused and timed-out dials are normal while the other side has not sent yet. */
async function redial(attempt: Attempt, lease: TcpLease, target: Endpoint, over: AbortSignal): Promise<void> {
  let atMs = 0;
  while (!over.aborted && !attempt.signal.aborted) {
    const outcome = await lease.dial(target, { atMs, timeoutMs: DIAL_TIMEOUT_MS });
    if (outcome === 'connected' || outcome === 'aborted') return;
    await delay(attempt.clock, REDIAL_MS.least + attempt.random.integer(REDIAL_MS.spread), attempt.signal);
    atMs = attempt.clock.now();
  }
}

/** The peer comes from a port that nobody can know: our SYN to its address opens the filter, then we listen. */
async function dialThenListen(attempt: Attempt, lease: TcpLease, target: Endpoint): Promise<void> {
  const opening = lease.dial(target, { atMs: 0, timeoutMs: LISTEN_AFTER_MS });
  await delay(attempt.clock, Math.max(0, LISTEN_AFTER_MS - attempt.clock.now()), attempt.signal);
  await opening;
  await lease.listen();
}

function admits({ filtering, natted, mapping }: TransportBehaviour): boolean {
  return (filtering === 'EIF' || filtering === 'ADF') && (natted === false || mapping === 'EIM');
}

function assess({ local: { tcp: local }, remote: { tcp: remote } }: Pair): Assessment {
  const cost = { expectedMs: 250, probes: 40 };
  if (local.blocked === true || remote.blocked === true)
    return { likelihood: 0, reason: 'TCP is blocked on one side' };
  if (keepsOnePort(local) && keepsOnePort(remote)) {
    const sure = local.mapping !== 'unknown' && remote.mapping !== 'unknown';
    return {
      ...cost,
      likelihood: sure ? 0.95 : 0.6,
      reason: sure
        ? 'both sides keep one TCP port for every destination'
        : 'a TCP mapping is unknown: perhaps the port holds',
    };
  }
  if (admits(local) || admits(remote))
    return { ...cost, likelihood: 0.85, reason: 'one side takes connections from any port of the other' };
  return { likelihood: 0, reason: 'a side takes another TCP port for each destination' };
}
