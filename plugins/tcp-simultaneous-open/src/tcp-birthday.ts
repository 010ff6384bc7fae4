import {
  connected,
  endpointFromJson,
  delay,
  failed,
  type Assessment,
  type Attempt,
  type Endpoint,
  type Pair,
  type PunchStrategy,
  type TcpLease,
} from '@awl/api';
import { keepsOnePort } from './reach.ts';

/** Ports of the side that takes a random one for each destination: each dials once, and so holds one open. */
const PORTS = 512;
/** Dials of the side that keeps one port, to random ports of the other. */
const GUESSES = 1200;
const GUESSES_PER_TICK = 40;
const TICK_MS = 20;
const GUESS_AFTER_MS = 30;
const DIAL_TIMEOUT_MS = 2500;
const LOWEST_PORT = 1024;
const DIALS_PER_PORT = 4;
const REDIAL_MS = { least: 100, spread: 300 };

/** As udp-birthday, by simultaneous open: one side's many SYNs wait for the other's that guesses their port. */
export const tcpBirthday: PunchStrategy = {
  id: 'tcp-birthday@1',
  assess,
  async prepare({ sockets, local, signal }) {
    if (!keepsOnePort(local.tcp)) return { leases: [] };
    const leases = await sockets.openTcp();
    const { address, port } = await leases[0]!.reflexive(signal);
    return { leases, advert: { address, port } };
  },
  async punch(attempt) {
    const reason = keepsOnePort(attempt.pair.local.tcp) ? await guess(attempt) : await hold(attempt);
    if (reason !== undefined) return failed('bad-advert', reason);
    const check = await attempt.nextCheck();
    return check ? connected(check) : failed('no-answer', 'no two dials met');
  },
};

/** Returns why it can't, or undefined once dialling is under way. */
async function guess(attempt: Attempt): Promise<string | undefined> {
  const [lease] = attempt.leases;
  const address =
    attempt.pair.remote.tcp.external?.address ??
    attempt.pair.remoteCandidates.find(({ type }) => type === 'server-reflexive')?.endpoint.address;
  if (lease?.protocol !== 'tcp' || address === undefined) return 'the other side’s address is not known';
  if (attempt.pair.local.tcp.natted === false) {
    await lease.listen();
    return undefined;
  }
  const tried = new Set<number>();
  const count = Math.min(GUESSES, attempt.budget.probes);
  while (tried.size < count) tried.add(LOWEST_PORT + attempt.random.integer(65_536 - LOWEST_PORT));
  let index = 0;
  for (const port of tried) {
    const atMs = GUESS_AFTER_MS + Math.floor(index++ / GUESSES_PER_TICK) * TICK_MS;
    void lease.dial({ address, port }, { atMs, timeoutMs: DIAL_TIMEOUT_MS });
  }
  // A router that lets in strangers brings the other side's SYNs here: without a listener the system refuses them. A port that listens can't
  // be dialled from any more, so this comes after the last guess.
  const lastMs = GUESS_AFTER_MS + Math.ceil(count / GUESSES_PER_TICK) * TICK_MS;
  delay(attempt.clock, Math.max(0, lastMs - attempt.clock.now()), attempt.signal)
    .then(() => lease.listen())
    .catch(() => {}); // the race was over before
  return undefined;
}

async function hold(attempt: Attempt): Promise<string | undefined> {
  const target = endpointFromJson(attempt.peerAdvert);
  if (!target) return 'the other side did not say where its port is';
  const leases = await attempt.sockets.openTcp({ count: Math.min(PORTS, attempt.budget.sockets) });
  for (const lease of leases) void holdOpen(attempt, lease, target);
  return undefined;
}

/** A refusal means that the SYN came before the other side was ready: the port has to be opened again. */
async function holdOpen(attempt: Attempt, lease: TcpLease, target: Endpoint): Promise<void> {
  for (let dials = 0, atMs = 0; dials < DIALS_PER_PORT; dials++) {
    if ((await lease.dial(target, { atMs, timeoutMs: DIAL_TIMEOUT_MS })) !== 'refused') return;
    atMs = attempt.clock.now() + REDIAL_MS.least + attempt.random.integer(REDIAL_MS.spread);
  }
}

function assess({ local: { tcp: local }, remote: { tcp: remote } }: Pair): Assessment {
  if (local.blocked === true || remote.blocked === true)
    return { likelihood: 0, reason: 'TCP is blocked on one side' };
  if (keepsOnePort(local) === keepsOnePort(remote)) {
    return {
      likelihood: 0,
      reason: keepsOnePort(local)
        ? 'both sides keep one TCP port: there is nothing to guess'
        : 'neither side keeps one TCP port',
    };
  }
  return {
    likelihood: 0.95,
    expectedMs: 500,
    probes: GUESSES,
    reason: `one side’s TCP ports are random: ${PORTS} dials wait there, and the other side guesses`,
  };
}
