import { createServer, type Server } from 'node:net';
import type { JsonValue, PluginContext } from '@awl/api';
import {
  Authorization,
  createEngine,
  createIdentity,
  nodeNetwork,
  realClock,
  realRandom,
  type Engine,
  type EngineParts,
  type Identity,
} from '@awl/engine';
import { activate as activateLan } from '@awl/plugin-lan-direct';
import { activate as activateTcp } from '@awl/plugin-tcp-simultaneous-open';
import { activate as activateUdp } from '@awl/plugin-udp-kcp';
import type { MemoryRendezvous } from './memory-rendezvous.ts';

export interface TestNode {
  readonly engine: Engine;
  readonly identity: Identity;
}

/** An engine with the built-in strategies on this machine's own network, registered at a rendezvous in memory. */
export async function testNode(
  hub: MemoryRendezvous,
  name: string,
  parts: Partial<EngineParts> = {},
): Promise<TestNode> {
  const identity = createIdentity();
  let stored: JsonValue | undefined;
  const authorization = await Authorization.open({
    store: { load: async () => stored, save: async (value) => void (stored = value) },
    clock: realClock,
    wallClock: Date.now,
  });
  const engine = createEngine({
    network: nodeNetwork,
    clock: realClock,
    random: realRandom,
    identity,
    authorization,
    password: () => undefined,
    name,
    version: '0.0.0-test',
    wallClock: Date.now,
    openRendezvous: () => {
      throw new Error('no other rendezvous in this test');
    },
    hostFor: () => {
      throw new Error('no plugin asks for the host in this test');
    },
    ...parts,
  });
  registerBuiltIns(engine);
  await engine.useRendezvous(hub.client(identity, name));
  return { engine, identity };
}

function registerBuiltIns({ registry }: Engine): void {
  const owner = { plugin: 'built-in', capabilities: ['udp', 'tcp'] as const };
  const context = {
    strategies: {
      register: (strategy) =>
        registry.addStrategy(strategy, owner, strategy.id.includes('tcp') ? 'tcp' : 'udp'),
    },
    transports: { register: (transport) => registry.addTransport(transport, owner) },
  } as Pick<PluginContext, 'strategies' | 'transports'> as PluginContext;
  for (const activate of [activateLan, activateTcp, activateUdp]) activate(context);
}

/** A TCP server that sends back what it gets. */
export async function echoServer(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer(
    { allowHalfOpen: true },
    (socket) => void socket.on('error', () => {}).pipe(socket),
  );
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, server };
}
