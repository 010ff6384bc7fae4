import {
  connected,
  endpointFromJson,
  meetAgain,
  delay,
  failed,
  formatEndpoint,
  type Assessment,
  type Attempt,
  type Candidate,
  type Endpoint,
  type Pair,
  type PunchStrategy,
  type TcpLease,
  type TransportBehaviour,
  type VerifiedCheck,
} from '@awl/api';
import { keepsOnePort } from './reach.ts';

/**
 * Redials are spread at random: two sides that redial in step after a RST would meet the other's closed port each time.
 */
const REDIAL_MS = { least: 15, spread: 110 };
/** The system repeats a lost SYN after a second; a fresh dial comes sooner. Each waits longer, for paths of any RTT. */
const DIAL_TIMEOUTS_MS = [300, 500, 800, 1200];
/** The side that others reach on one port listens this long after its own SYN opened the filter. */
const LISTEN_AFTER_MS = 30;
/** A round without a connection means that a port is spoilt. */
const ROUND_MS = 1300;
const ROUNDS = 3;

/** Both sides connect from their punched port to the other's at the agreed instant; the SYNs cross. */
export const tcpSimultaneousOpen: PunchStrategy = {
  id: 'tcp-simultaneous-open@1',
  assess,
  async prepare({ sockets, signal }) {
    const leases = await sockets.openTcp();
    const lease = leases[0]!;
    const [{ address, port }] = await Promise.all([lease.reflexive(signal), lease.mapped(signal)]);
    return { leases, advert: { address, port } };
  },
  async punch(attempt) {
    let target = endpointFromJson(attempt.peerAdvert);
    let [lease] = attempt.leases;
    if (!target || lease?.protocol !== 'tcp')
      return failed('bad-advert', 'the other side did not say where its port is');
    let fromMs = 0;
    for (let round = 0; !attempt.signal.aborted; round++) {
      const over = new AbortController();
      open(attempt, lease, target, { round, fromMs }, over.signal).catch(() => {}); // an aborted delay: the missing check tells it
      const check = await attempt.nextCheck(round === ROUNDS - 1 ? undefined : ROUND_MS);
      const next: Fresh = check ? { check } : await freshPort(attempt);
      over.abort();
      if (next.check) return connected(next.check);
      lease = next.lease ?? lease;
      target = next.target ?? target;
      fromMs = next.startMs ?? 0;
    }
    const early =
      attempt.pair.remote.tcp.unsolicited === 'rst' ? ', whose router answers early SYNs by RST' : '';
    return failed('no-answer', `no connection with ${formatEndpoint(target)}${early}`);
  },
};

interface Fresh {
  readonly check?: VerifiedCheck | undefined;
  readonly lease?: TcpLease;
  readonly target?: Endpoint;
  readonly startMs?: number;
}

/**
 * A NAT that remembered a stranger's SYN gives our own another port from then on: both sides take new ones. The port of before goes on
 * until the other side is ready too, since it may only have begun late; a check over it ends the wait.
 */
async function freshPort(attempt: Attempt): Promise<Fresh> {
  try {
    const [lease] = await attempt.sockets.openTcp();
    const { address, port } = await lease!.reflexive(attempt.signal);
    const { message, startMs = 0, check } = await meetAgain(attempt, { address, port });
    const target = endpointFromJson(message);
    return check ? { check } : { lease: lease!, startMs, ...(target ? { target } : {}) };
  } catch {
    // No port, or no STUN server that answers: the port of before goes on.
    return { check: await attempt.nextCheck() };
  }
}

type Way = 'dial' | 'listen' | 'dial, then listen';

/** Who dials and who listens: both dial, unless one side can take the other's connection from any port. */
function wayOf({ pair, role }: Attempt): Way {
  const { local, remote, localCandidates, remoteCandidates } = pair;
  if (mappedPort(remoteCandidates)) return 'dial';
  if (mappedPort(localCandidates)) return 'listen';
  const isPublic = local.tcp.natted === false;
  if (!keepsOnePort(remote.tcp)) return isPublic ? 'listen' : 'dial, then listen';
  return isPublic && !(remote.tcp.natted === false && role === 'controlling') ? 'listen' : 'dial';
}

async function open(
  attempt: Attempt,
  lease: TcpLease,
  target: Endpoint,
  { round, fromMs }: { readonly round: number; readonly fromMs: number },
  over: AbortSignal,
): Promise<void> {
  const way = wayOf(attempt);
  const mapped = mappedPort(attempt.pair.remoteCandidates);
  // A public host that nothing reached has a firewall that wants its own SYN first.
  if (way === 'dial' || (way === 'listen' && round > 0 && keepsOnePort(attempt.pair.remote.tcp)))
    return redial(attempt, lease, round === 0 && mapped ? mapped : target, fromMs, over);
  if (way === 'listen') return lease.listen();
  // The peer comes from a port that nobody can know: our SYN to its address opens the filter.
  const opening = lease.dial(target, { atMs: 0, timeoutMs: LISTEN_AFTER_MS });
  await delay(attempt.clock, Math.max(0, LISTEN_AFTER_MS - attempt.clock.now()), attempt.signal);
  await opening;
  return lease.listen();
}

/** A port that a router leads to its side's socket. */
function mappedPort(candidates: readonly Candidate[]): Endpoint | undefined {
  return candidates.find(({ type, protocol }) => type === 'mapped' && protocol === 'tcp')?.endpoint;
}

/** Dials until a check came over a connection: refused and timed-out dials are normal while the other side has not sent yet. */
async function redial(
  attempt: Attempt,
  lease: TcpLease,
  target: Endpoint,
  fromMs: number,
  over: AbortSignal,
): Promise<void> {
  let atMs = fromMs;
  for (let dials = 0; !over.aborted && !attempt.signal.aborted; dials++) {
    const timeoutMs = DIAL_TIMEOUTS_MS[Math.min(dials, DIAL_TIMEOUTS_MS.length - 1)]!;
    const outcome = await lease.dial(target, { atMs, timeoutMs });
    if (outcome === 'connected' || outcome === 'aborted') return;
    await delay(attempt.clock, REDIAL_MS.least + attempt.random.integer(REDIAL_MS.spread), attempt.signal);
    atMs = attempt.clock.now();
  }
}

function admits({ filtering, natted, mapping }: TransportBehaviour): boolean {
  if (natted === false && filtering === 'unknown') return true;
  return (filtering === 'EIF' || filtering === 'ADF') && (natted === false || mapping === 'EIM');
}

function assess({
  local: { tcp: local },
  remote: { tcp: remote },
  localCandidates,
  remoteCandidates,
}: Pair): Assessment {
  const cost = { expectedMs: 250, probes: 40 };
  if (local.blocked === true || remote.blocked === true)
    return { likelihood: 0, reason: 'TCP is blocked on one side' };
  if (mappedPort(localCandidates) ?? mappedPort(remoteCandidates))
    return { ...cost, likelihood: 0.97, reason: 'a router leads one of its TCP ports to a side' };
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
