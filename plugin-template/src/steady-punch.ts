import {
  connected,
  endpointFromJson,
  failed,
  formatEndpoint,
  type Assessment,
  type Pair,
  type PunchStrategy,
} from '@awl/api';

/** How long checks are sent; whoever has not answered by then will not. */
const DURATION_MS = 3000;

/**
 * Both sides send checks from one socket to where the other's socket was seen, at a steady pace. Each side's packets open its own NAT for the
 * other's. Works where both NATs keep one external port for every destination (RFC 4787 §4.1, endpoint-independent mapping).
 * @param intervalMs asked at each attempt, since a setting may change
 */
export function steadyPunch(intervalMs: () => number): PunchStrategy {
  const times = (): number[] => {
    const interval = intervalMs();
    return Array.from({ length: Math.ceil(DURATION_MS / interval) }, (_, index) => index * interval);
  };
  return {
    id: 'steady-punch@1',

    assess: (pair) => assess(pair, times().length),

    // Runs on both sides before they agree on a start: open a socket, and tell the other side where it is seen.
    async prepare({ sockets, signal }) {
      const [lease] = await sockets.openUdp();
      if (!lease) return { leases: [] };
      const { address, port } = await lease.reflexive(signal);
      return { leases: [lease], advert: { address, port } };
    },

    // Runs on both sides after that. Time 0 is the agreed start.
    async punch(attempt) {
      const [lease] = attempt.leases;
      const to = endpointFromJson(attempt.peerAdvert);
      if (!to || lease?.protocol !== 'udp')
        return failed('bad-advert', 'the other side did not say where its socket is');
      const planned = times().slice(0, attempt.budget.probes);
      // One call for all checks: the engine makes, sends and verifies them.
      const sending = lease.schedule(planned.map((atMs) => ({ kind: 'check', to, atMs })));
      const check = await attempt.nextCheck();
      sending[Symbol.dispose]();
      return check ? connected(check) : failed('no-answer', `nothing came back from ${formatEndpoint(to)}`);
    },
  };
}

/** Honest: 0 where it cannot work, and then the reason says why. The conformance kit measures what is claimed. */
function assess({ local, remote }: Pair, probes: number): Assessment {
  for (const [side, { udp }] of [
    ['this', local],
    ['the other', remote],
  ] as const) {
    if (udp.blocked === true) return { likelihood: 0, reason: `${side} side blocks UDP` };
    if (udp.natted !== false && udp.mapping !== 'EIM') {
      return { likelihood: 0, reason: `${side} side may take another port for each destination` };
    }
  }
  return {
    likelihood: 0.95,
    expectedMs: 150,
    probes,
    reason: 'both sides keep one port for every destination',
  };
}
