import type { Clock, Endpoint, Lease, Random } from '@awl/api';
import type { NodeBudget } from './budget.ts';
import type { CheckAgent } from './check-agent.ts';
import type { Destinations } from './destinations.ts';

/** What a scope may spend in all. */
export interface ScopeLimits {
  readonly sockets: number;
  readonly probes: number;
  readonly probesPerSecond: number;
}

/**
 * What leases have in common that belong together: the attempt of one strategy, or a plugin's sockets outside any attempt. Ends with its
 * signal: every lease is then revoked that no path has taken over.
 */
export interface LeaseScope {
  readonly clock: Clock;
  readonly random: Random;
  readonly node: NodeBudget;
  readonly destinations: Destinations;
  /** Set anew when the plan gives a strategy its budget. */
  limits: ScopeLimits;
  /** Makes and verifies checks; undefined outside attempts. */
  readonly checks: CheckAgent | undefined;
  /** The STUN servers that tell reflexive endpoints, primary first. */
  readonly stun: { readonly udp: readonly Endpoint[]; readonly tcp: readonly Endpoint[] };
  /** Has a port of the router mapped to a lease until `released` aborts; undefined where that can't be. */
  readonly map: (
    lease: Pick<Lease, 'protocol' | 'local'>,
    signal: AbortSignal,
    released: AbortSignal,
  ) => Promise<Endpoint | undefined>;
  /** The agreed start in the clock's time; `undefined` before `go`. */
  startAt: number | undefined;
  /** Packets and dials sent so far. */
  probesSent: number;
  readonly signal: AbortSignal;
}

/** How many of `count` probes to this address may leave now, by the scope's, the node's and the address's budget; counts them. */
export function takeProbes(scope: LeaseScope, address: string, count: number): number {
  const left = Math.min(count, scope.limits.probes - scope.probesSent);
  if (left <= 0) return 0;
  const granted = scope.node.takeProbes(left);
  const allowed = granted > 0 ? scope.destinations.take(address, granted) : 0;
  scope.probesSent += allowed;
  return allowed;
}
