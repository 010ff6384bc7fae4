import type { Clock, Endpoint, Lease, Random, Sockets } from '@awl/api';
import { NodeBudget, type NodeLimits } from './budget.ts';
import type { CheckAgent } from './check-agent.ts';
import { Destinations, DestinationTallies } from './destinations.ts';
import type { BindOptions, Network } from './network.ts';
import type { LeaseScope, ScopeLimits } from './scope.ts';
import { ManagedTcpLease } from './tcp-lease.ts';
import { ManagedUdpLease } from './udp-lease.ts';

export interface StunServers {
  readonly udp: readonly Endpoint[];
  readonly tcp: readonly Endpoint[];
}

/** Leases that belong together, and the sockets facade that a strategy sees. */
export interface Scope extends LeaseScope {
  readonly sockets: Sockets;
  readonly leases: ReadonlySet<Lease>;
  /** Revokes every lease but those kept. */
  release(keep?: ReadonlySet<Lease>): void;
}

/**
 * Grants leases on sockets within budgets: the node's, the scope's. The engine and its strategies have no other way to a network.
 */
export class SocketBroker {
  readonly network: Network;
  readonly budget: NodeBudget;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #tallies: DestinationTallies;
  #nextId = 1;
  /** Whose STUN servers new scopes ask. */
  stun: StunServers = { udp: [], tcp: [] };
  /** How leases get mapped ports; none without a keeper. */
  map: LeaseScope['map'] = () => Promise.resolve(undefined);

  constructor(network: Network, clock: Clock, random: Random, limits?: NodeLimits) {
    this.network = network;
    this.#clock = clock;
    this.#random = random;
    this.budget = new NodeBudget(clock, limits);
    this.#tallies = new DestinationTallies(clock);
  }

  /** Rules on whom one attempt may probe; shared by the scopes of its strategies. */
  destinations(): Destinations {
    return new Destinations(this.#tallies, () => this.network.interfaces());
  }

  scope(options: {
    readonly limits: ScopeLimits;
    readonly destinations: Destinations;
    readonly checks?: CheckAgent;
    readonly signal: AbortSignal;
  }): Scope {
    const leases = new Set<Lease>();
    const returned = (lease: Lease): void => {
      if (leases.delete(lease)) this.budget.returnSocket();
    };
    const scope: Scope = {
      clock: this.#clock,
      random: this.#random,
      node: this.budget,
      destinations: options.destinations,
      limits: options.limits,
      checks: options.checks,
      stun: this.stun,
      map: (...request) => this.map(...request),
      startAt: undefined,
      probesSent: 0,
      signal: options.signal,
      leases,
      sockets: {
        openUdp: (wish) =>
          open(
            wish,
            async (bind) =>
              new ManagedUdpLease(`udp-${this.#nextId++}`, await this.network.bindUdp(bind), scope, returned),
          ),
        openTcp: (wish) =>
          open(
            wish,
            async (bind) =>
              new ManagedTcpLease(
                `tcp-${this.#nextId++}`,
                await this.network.reserveTcp(bind),
                scope,
                returned,
              ),
          ),
      },
      release: (keep = new Set()) => {
        for (const lease of leases) if (!keep.has(lease)) lease[Symbol.dispose]();
      },
    };
    const open = async <T extends Lease>(
      wish: Parameters<Sockets['openUdp']>[0],
      make: (bind: BindOptions) => Promise<T>,
    ): Promise<T[]> => {
      const { count = 1, family = 4, localAddress } = wish ?? {};
      options.signal.throwIfAborted();
      if (count < 1 || leases.size + count > scope.limits.sockets) this.budget.takeSockets(Infinity);
      this.budget.takeSockets(count);
      const opened = await Promise.allSettled(
        Array.from({ length: count }, () =>
          make({ family, ...(localAddress ? { address: localAddress } : {}) }),
        ),
      );
      const made: T[] = [];
      let failure: unknown;
      for (const result of opened) {
        if (result.status === 'rejected') {
          this.budget.returnSocket();
          failure = result.reason;
        } else {
          leases.add(result.value);
          made.push(result.value);
        }
      }
      if (failure || options.signal.aborted) {
        for (const lease of made) lease[Symbol.dispose]();
        throw failure ?? options.signal.reason;
      }
      return made;
    };
    return scope;
  }
}
