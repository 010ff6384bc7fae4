import {
  connected,
  failed,
  type Assessment,
  type Endpoint,
  type JsonValue,
  type Pair,
  type PunchStrategy,
} from '@awl/api';

/** A small strategy that does all a strategy has to: both sides send a few checks to where the other's socket was seen. */
export const plainDirect: PunchStrategy = {
  id: 'plain-direct@1',
  assess,
  async prepare({ sockets, signal }) {
    const leases = await sockets.openUdp();
    const { address, port } = await leases[0]!.reflexive(signal);
    return { leases, advert: { address, port } };
  },
  async punch({ leases: [lease], peerAdvert, budget, nextCheck }) {
    const to = endpointOf(peerAdvert);
    if (!to || lease?.protocol !== 'udp')
      return failed('bad-advert', 'the other side did not say where its socket is');
    const times = [0, 30, 80, 150, 300, 600, 1000, 1500, 2100].slice(0, budget.probes);
    const running = lease.schedule(times.map((atMs) => ({ kind: 'check', to, atMs })));
    const check = await nextCheck();
    running[Symbol.dispose]();
    return check ? connected(check) : failed('no-answer', 'nothing came back');
  },
};

export function assess({ local: { udp: local }, remote: { udp: remote }, sameLan }: Pair): Assessment {
  if (sameLan) return { likelihood: 0, reason: 'within one LAN the router would have to send packets back' };
  const isConstant = [local, remote].every(
    ({ blocked, natted, mapping }) => blocked === false && (natted === false || mapping === 'EIM'),
  );
  return isConstant
    ? {
        likelihood: 0.98,
        expectedMs: 150,
        probes: 18,
        reason: 'both sides keep one port for every destination',
      }
    : { likelihood: 0, reason: 'a side takes another port for each destination' };
}

export function endpointOf(advert: JsonValue | undefined): Endpoint | undefined {
  if (typeof advert !== 'object' || advert === null || Array.isArray(advert)) return undefined;
  const { address, port } = advert as { readonly [key: string]: JsonValue };
  return typeof address === 'string' &&
    typeof port === 'number' &&
    Number.isInteger(port) &&
    port > 0 &&
    port < 65536
    ? { address, port }
    : undefined;
}
