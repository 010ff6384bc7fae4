import type {
  Host,
  HookName,
  HookOrder,
  HookTap,
  NatProbe,
  PortMapper,
  PunchStrategy,
  Sockets,
  Transport,
} from '@awl/api';
import { AwlError } from '@awl/wire';
import type { Registered } from './core.ts';
import type { HookBus } from './hook/hook-bus.ts';
import type { PeerLink } from './peer-link.ts';
import type { EngineRegistry, Owner } from './registry.ts';
import type { SocketBroker } from './socket/broker.ts';

/** What a plugin may open outside any attempt. */
const PLUGIN_LIMITS = { sockets: 32, probes: 1000, probesPerSecond: 200 };

export interface RegistryParts {
  readonly registered: Registered;
  readonly hooks: HookBus;
  readonly broker: SocketBroker;
  readonly links: () => Iterable<PeerLink>;
  readonly hostFor: (owner: Owner) => Host;
  /** A mapper came (its leftovers of a crash are removed) or went. */
  readonly onMapper: (mapper: PortMapper, present: boolean) => void;
}

/** What plugins registered, and what they may have of the engine. */
export function createRegistry({
  registered,
  hooks,
  broker,
  links,
  hostFor,
  onMapper,
}: RegistryParts): EngineRegistry {
  const usersOf = (owner: Owner): PeerLink[] => {
    const own = new Set(
      [...registered.transports].filter(([, entry]) => entry.owner.plugin === owner.plugin).map(([id]) => id),
    );
    return [...links()].filter(({ state }) => state.path !== undefined && own.has(state.path.transport));
  };
  return {
    addStrategy: (strategy: PunchStrategy, owner, protocol) =>
      claim(registered.strategies, 'strategy', strategy.id, { strategy, owner, protocol }),
    addTransport: (transport: Transport, owner) =>
      claim(registered.transports, 'transport', transport.id, { transport, owner }),
    addPortMapper: (mapper: PortMapper, owner) => {
      const claimed = claim(registered.portMappers, 'port mapper', mapper.id, { mapper, owner });
      onMapper(mapper, true);
      return {
        [Symbol.dispose]: () => {
          onMapper(mapper, false);
          claimed[Symbol.dispose]();
        },
      };
    },
    addNatProbe: (probe: NatProbe, owner) =>
      claim(registered.natProbes, 'NAT probe', probe.id, { probe, owner }),
    tap: <Name extends HookName>(name: Name, tap: HookTap<Name>, owner: Owner, order?: HookOrder) =>
      hooks.tap(name, tap, owner, order),
    socketsFor: (owner, signal): Sockets => {
      const { sockets } = broker.scope({
        limits: PLUGIN_LIMITS,
        destinations: broker.destinations(),
        signal,
      });
      const need = (capability: 'udp' | 'tcp'): void => {
        if (!owner.capabilities.includes(capability))
          throw new AwlError(
            'ERR_PLUGIN_CAPABILITY',
            `${owner.plugin} does not ask for the capability ${capability}.`,
          );
      };
      return {
        openUdp: async (options) => {
          need('udp');
          return sockets.openUdp(options);
        },
        openTcp: async (options) => {
          need('tcp');
          return sockets.openTcp(options);
        },
      };
    },
    hostFor,
    sessionsUsing: (owner) => usersOf(owner).map(({ state }) => state.name),
    releaseTransports: async (owner, force) => {
      for (const link of usersOf(owner)) await link.leavePath(force);
    },
  };
}

/** One owner per id. Throws `ERR_PLUGIN_CONFLICT`, naming both. */
function claim<T extends { readonly owner: Owner }>(
  table: Map<string, T>,
  kind: string,
  id: string,
  entry: T,
): Disposable {
  const holder = table.get(id)?.owner.plugin;
  if (holder !== undefined)
    throw new AwlError(
      'ERR_PLUGIN_CONFLICT',
      `Both ${holder} and ${entry.owner.plugin} contribute the ${kind} ${id}.`,
    );
  table.set(id, entry);
  return {
    [Symbol.dispose]: () => {
      if (table.get(id) === entry) table.delete(id);
    },
  };
}
