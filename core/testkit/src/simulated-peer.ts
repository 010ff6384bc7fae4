import { PassThrough } from 'node:stream';
import type { Capability, JsonValue, Transport } from '@awl/api';
import { Authorization, createEngine, createIdentity, identityRecord, type Engine } from '@awl/engine';
import { AwlError } from '@awl/wire';
import { shiftedClock, type VirtualClock } from './clock.ts';
import type { Contributions } from './contributions.ts';
import type { SimulatedHost } from './network/host.ts';
import type { SeededRandom } from './random.ts';
import type { SimulatedRendezvous, SimulatedRendezvousServer } from './rendezvous.ts';

const CAPABILITIES: readonly Capability[] = ['udp', 'tcp', 'lan-http', 'multicast'];
/** Wall-clock time when a simulation begins; any would do, but always the same. */
export const SIMULATION_EPOCH_MS = Date.UTC(2026, 0, 1);

/** One engine on a simulated host, registered at a simulated rendezvous. */
export interface SimulatedPeer {
  readonly peerId: string;
  readonly host: SimulatedHost;
  readonly engine: Engine;
  readonly rendezvous: SimulatedRendezvous;
  readonly authorization: Authorization;
}

export interface SimulatedPeerOptions {
  readonly name: string;
  readonly host: SimulatedHost;
  readonly server: SimulatedRendezvousServer;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  /** What this machine's clock shows more than the simulation's. */
  readonly clockOffsetMs: number;
  readonly contributions: Contributions;
}

/** Starts an engine. It is not at the rendezvous yet. */
export async function createSimulatedPeer(options: SimulatedPeerOptions): Promise<SimulatedPeer> {
  const { name, host, server, random, clockOffsetMs } = options;
  const clock = shiftedClock(options.clock, clockOffsetMs);
  const wallClock = (): number => SIMULATION_EPOCH_MS + options.clock.now();
  const identity = createIdentity(random.fork('identity'));
  let stored: JsonValue | undefined;
  const store = {
    load: () => Promise.resolve(stored),
    save: (value: JsonValue) => {
      stored = value;
      return Promise.resolve();
    },
  };
  const authorization = await Authorization.open({ store, clock, wallClock });
  const rendezvous = server.client(host, { name, ...identityRecord(identity) });
  const engine = createEngine({
    network: host,
    clock,
    random: random.fork('engine'),
    identity,
    authorization,
    password: () => undefined,
    name,
    version: '0.0.0',
    simulated: true,
    wallClock,
    openRendezvous: () => rendezvous,
    hostFor: () => ({
      interfaces: () => host.interfaces(),
      gateways: () => host.gateways(),
      lanHttp: () => Promise.reject(new AwlError('ERR_NAT_UNREACHABLE', 'the simulated LAN has no HTTP')),
      lanUdp: () =>
        Promise.reject(
          new AwlError('ERR_NAT_UNREACHABLE', 'the simulated router speaks no mapping protocol'),
        ),
    }),
  });
  const owner = { plugin: 'simulation', capabilities: CAPABILITIES };
  const { strategies, transports } = options.contributions;
  for (const strategy of strategies)
    engine.registry.addStrategy(strategy, owner, strategy.id.includes('tcp') ? 'tcp' : 'udp');
  for (const transport of transports.length > 0 ? transports : [IDLE_TRANSPORT])
    engine.registry.addTransport(transport, owner);
  return { peerId: identity.peerId, host, engine, rendezvous, authorization };
}

/** Stands in where a simulation ends with the path: it carries nothing. */
const IDLE_TRANSPORT: Transport = {
  id: 'idle',
  attach: () => {
    const duplex = new PassThrough();
    return { duplex, stats: () => ({}), [Symbol.dispose]: () => void duplex.destroy() };
  },
};
