import {
  UNKNOWN_BEHAVIOUR,
  type BehaviourVector,
  type Evidence,
  type NatProbe,
  type NatState,
} from '@awl/api';
import type { HookBus } from '../hook/hook-bus.ts';
import type { SocketBroker } from '../socket/broker.ts';
import { ManagedTcpLease } from '../socket/tcp-lease.ts';
import { ManagedUdpLease } from '../socket/udp-lease.ts';
import { classify } from './classify.ts';
import { probeTcpMapping } from './tcp-probe.ts';
import { probeUdpFiltering, probeUdpMapping, stunSites } from './udp-probe.ts';

/** Sockets that one measurement opens: enough to see a law in the ports. */
const UDP_SOCKETS = 5;
const TCP_PORTS = 3;
const LIMITS = { sockets: UDP_SOCKETS + TCP_PORTS + 16, probes: 400, probesPerSecond: 400 };

/** A measurement: the verdict on mappings comes first, the rest follows. */
export interface Measurement {
  readonly mapping: Promise<NatState>;
  readonly complete: Promise<NatState>;
}

/** Measures the behaviour of this network's NAT with the rendezvous' STUN servers, the probes of plugins and the `nat.*` hooks. */
export function measureNat(parts: {
  readonly broker: SocketBroker;
  readonly hooks: HookBus;
  readonly probes: readonly NatProbe[];
  readonly wallClock: () => number;
  readonly signal: AbortSignal;
}): Measurement {
  const { broker, signal } = parts;
  const scope = broker.scope({ limits: LIMITS, destinations: broker.destinations(), signal });
  const interfaces = broker.network.interfaces();
  const locals = new Set(interfaces.map(({ address }) => address));
  const udpSites = stunSites(broker.stun.udp);
  const tcpSites = stunSites(broker.stun.tcp);
  const evidence: Evidence[] = [];
  const gather = async (source: Promise<readonly Evidence[]>): Promise<void> =>
    void evidence.push(...(await source.catch(() => [])));

  const udpMapping = async (): Promise<readonly Evidence[]> => {
    if (!udpSites) return [];
    const leases = await scope.sockets.openUdp({ count: UDP_SOCKETS });
    return probeUdpMapping(
      leases.filter((lease) => lease instanceof ManagedUdpLease),
      udpSites,
      locals,
      signal,
    );
  };
  const udpFiltering = async (): Promise<readonly Evidence[]> => {
    if (!udpSites) return [];
    const [lease] = await scope.sockets.openUdp();
    return lease instanceof ManagedUdpLease ? probeUdpFiltering(lease, udpSites, signal) : [];
  };
  const tcpMapping = async (): Promise<readonly Evidence[]> => {
    if (!tcpSites) return [];
    const leases = await scope.sockets.openTcp({ count: TCP_PORTS });
    return probeTcpMapping(
      leases.filter((lease) => lease instanceof ManagedTcpLease),
      tcpSites,
      locals,
      signal,
    );
  };
  const contributed = async (): Promise<readonly Evidence[]> => {
    const lists = await Promise.all(parts.probes.map((probe) => collect(probe, scope)));
    return [
      ...lists.flat(),
      ...(await parts.hooks.collect('nat.evidence', { network: [...locals].join(' ') })),
    ];
  };

  const verdict = async (status: NatState['status']): Promise<NatState> => {
    const measured: BehaviourVector = {
      udp: udpSites ? classify('udp', evidence) : UNKNOWN_BEHAVIOUR,
      tcp: tcpSites ? classify('tcp', evidence) : UNKNOWN_BEHAVIOUR,
      ipv6: interfaces.some(
        ({ family, address, internal }) => family === 6 && !internal && /^[23]/.test(address),
      ),
    };
    const behaviour = await parts.hooks.waterfall('nat.classify', measured);
    const [gateway] = await broker.network.gateways().catch(() => []);
    const externals = [behaviour.udp.external?.address, behaviour.tcp.external?.address].filter(
      (address) => address !== undefined,
    );
    return {
      status,
      measuredAt: parts.wallClock(),
      behaviour,
      evidence: [...evidence],
      publicAddresses: [...new Set(externals)],
      ...(gateway ? { gateway: gateway.mac ? `${gateway.address} (${gateway.mac})` : gateway.address } : {}),
      mappings: [],
    };
  };

  const filtering = gather(udpFiltering());
  const others = gather(contributed());
  const mapping = Promise.all([gather(udpMapping()), gather(tcpMapping())]).then(() => verdict('measuring'));
  const complete = Promise.all([mapping, filtering, others])
    .then(() => verdict('known'))
    .finally(() => scope.release());
  complete.catch(() => {});
  return { mapping, complete };
}

async function collect(probe: NatProbe, scope: ReturnType<SocketBroker['scope']>): Promise<Evidence[]> {
  const found: Evidence[] = [];
  for await (const item of probe.gather({
    sockets: scope.sockets,
    clock: scope.clock,
    random: scope.random,
    signal: scope.signal,
  })) {
    found.push(item);
    if (found.length >= 64) break;
  }
  return found;
}
