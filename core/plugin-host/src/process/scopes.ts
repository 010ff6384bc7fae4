import type { Attempt, Capability, Lease, Sockets, TcpLease, UdpLease, VerifiedCheck } from '@awl/api';
import { AwlError } from '@awl/wire';

/** Checks remembered of an attempt; a strategy that needs more has long had its answer. */
const CHECKS_KEPT = 256;

/** Something that a plugin process works on: an attempt, its preparation, a probe, or the plugin's own sockets. */
export interface Scope {
  readonly id: number;
  readonly sockets: Sockets;
  readonly attempt?: Attempt;
  readonly leases: Map<string, Lease>;
  readonly checks: VerifiedCheck[];
  /** When it ends by itself. */
  expiry?: Disposable;
}

/** What a lease is to its plugin process. */
export interface LeaseInfo {
  readonly id: string;
  readonly protocol: 'udp' | 'tcp';
  readonly local: Lease['local'];
}

export function leaseInfo({ id, protocol, local }: Lease): LeaseInfo {
  return { id, protocol, local };
}

/** The scopes of one plugin process, and the leases in each. A process can name no lease but those. */
export class Scopes {
  readonly #limit: number;
  readonly #capabilities: readonly Capability[];
  readonly #scopes = new Map<number, Scope>();
  #nextId = 0;

  constructor(limit: number, capabilities: readonly Capability[]) {
    this.#limit = limit;
    this.#capabilities = capabilities;
  }

  open(sockets: Sockets, attempt?: Attempt): Scope {
    const scope: Scope = {
      id: this.#nextId++,
      sockets,
      ...(attempt ? { attempt } : {}),
      leases: new Map(),
      checks: [],
    };
    this.#scopes.set(scope.id, scope);
    return scope;
  }

  /** Ends a scope; its leases are no more the process's, and those not kept are closed. */
  close(scope: Scope, keep: (lease: Lease) => boolean): void {
    this.#scopes.delete(scope.id);
    scope.expiry?.[Symbol.dispose]();
    for (const lease of scope.leases.values()) {
      if (lease.protocol === 'udp') lease.onDatagram = null;
      if (!keep(lease)) lease[Symbol.dispose]();
    }
    scope.leases.clear();
  }

  closeAll(): void {
    for (const scope of this.#scopes.values()) this.close(scope, () => false);
  }

  get(id: number): Scope {
    const scope = this.#scopes.get(id);
    if (!scope) throw new AwlError('ERR_ATTEMPT_CANCELLED', 'this attempt has ended');
    return scope;
  }

  attempt(id: number): Attempt {
    const { attempt } = this.get(id);
    if (!attempt) throw new AwlError('ERR_PLUGIN_CAPABILITY', 'there is no attempt to do this in');
    return attempt;
  }

  /** Puts a lease into a scope, taking it from where it was (a preparation, say). */
  adopt(scope: Scope, lease: Lease): void {
    for (const other of this.#scopes.values()) other.leases.delete(lease.id);
    scope.leases.set(lease.id, lease);
  }

  async openSockets(
    id: number,
    protocol: 'udp' | 'tcp',
    options: NonNullable<Parameters<Sockets['openUdp']>[0]>,
  ): Promise<readonly Lease[]> {
    const scope = this.get(id);
    if (!this.#capabilities.includes(protocol)) {
      throw new AwlError('ERR_PLUGIN_CAPABILITY', `${protocol} is not in the capabilities of the manifest`);
    }
    let held = options.count ?? 1;
    for (const { leases } of this.#scopes.values()) held += leases.size;
    if (held > this.#limit)
      throw new AwlError('ERR_BUDGET_SOCKETS', `a plugin may hold ${this.#limit} sockets`);
    const leases = await (protocol === 'udp'
      ? scope.sockets.openUdp(options)
      : scope.sockets.openTcp(options));
    if (!this.#scopes.has(id)) {
      for (const lease of leases) lease[Symbol.dispose]();
      throw new AwlError('ERR_ATTEMPT_CANCELLED', 'this attempt has ended');
    }
    for (const lease of leases) scope.leases.set(lease.id, lease);
    return leases;
  }

  lease(id: string): Lease {
    for (const { leases } of this.#scopes.values()) {
      const lease = leases.get(id);
      if (lease) return lease;
    }
    throw new AwlError(
      'ERR_PLUGIN_CAPABILITY',
      `the lease ${id} is not one of this plugin's, or its attempt has ended`,
    );
  }

  udp(id: string): UdpLease {
    const lease = this.lease(id);
    if (lease.protocol !== 'udp') throw new AwlError('ERR_PLUGIN_CAPABILITY', `the lease ${id} is not UDP`);
    return lease;
  }

  tcp(id: string): TcpLease {
    const lease = this.lease(id);
    if (lease.protocol !== 'tcp') throw new AwlError('ERR_PLUGIN_CAPABILITY', `the lease ${id} is not TCP`);
    return lease;
  }

  dispose(id: string): void {
    for (const { leases } of this.#scopes.values()) {
      const lease = leases.get(id);
      if (!lease) continue;
      leases.delete(id);
      lease[Symbol.dispose]();
    }
  }

  async nextCheck(id: number, timeoutMs: number | undefined): Promise<VerifiedCheck | undefined> {
    const scope = this.get(id);
    const check = await this.attempt(id).nextCheck(timeoutMs);
    if (check && scope.checks.length < CHECKS_KEPT) scope.checks.push(check);
    return check;
  }
}
