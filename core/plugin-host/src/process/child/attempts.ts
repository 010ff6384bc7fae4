import type {
  Attempt,
  BehaviourVector,
  Budget,
  Endpoint,
  JsonValue,
  Lease,
  Logger,
  Pair,
  PrepareContext,
  PunchOutcome,
  Role,
  VerifiedCheck,
} from '@awl/api';
import type { Rpc } from '../rpc.ts';
import type { LeaseInfo } from '../scopes.ts';
import { clockFrom, random } from './clock.ts';
import type { Leases } from './leases.ts';

/** An attempt as the node describes it. */
export interface RemoteAttempt {
  readonly scope: number;
  readonly role: Role;
  readonly leases: readonly LeaseInfo[];
  readonly peerAdvert?: JsonValue;
  readonly pair: Pair;
  readonly budget: Budget;
  readonly lateMs: number;
  /** The agreed start in the machine's monotonic time, milliseconds. */
  readonly startMs: number;
}

/** The work that the node has given to this process, each piece with the signal that ends it. */
export class Attempts {
  readonly #rpc: () => Rpc;
  readonly #leases: Leases;
  readonly #log: Logger;
  readonly #signals = new Map<number, AbortController>();

  constructor(rpc: () => Rpc, leases: Leases, log: Logger) {
    this.#rpc = rpc;
    this.#leases = leases;
    this.#log = log;
  }

  abort(scope: number): void {
    this.#signals.get(scope)?.abort(new DOMException('the attempt ended', 'AbortError'));
  }

  /** Runs a piece of work with its signal. */
  async within<T>(scope: number, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    this.#signals.set(scope, abort);
    try {
      return await task(abort.signal);
    } finally {
      this.#signals.delete(scope);
    }
  }

  prepareContext(
    {
      scope,
      local,
      remote,
    }: { readonly scope: number; readonly local: BehaviourVector; readonly remote?: BehaviourVector },
    signal: AbortSignal,
  ): PrepareContext {
    return {
      sockets: this.#leases.sockets(scope),
      local,
      ...(remote ? { remote } : {}),
      signal,
      log: this.#log,
    };
  }

  attempt(described: RemoteAttempt, signal: AbortSignal): Attempt {
    const { scope, role, pair, budget, lateMs } = described;
    const rpc = this.#rpc;
    const leases: Lease[] = described.leases.map((info) => this.#leases.get(info));
    const known = new Map(leases.map((lease) => [lease.id, lease]));
    const sockets = this.#leases.sockets(scope);
    const remember = <T extends Lease>(opened: T[]): T[] => {
      for (const lease of opened) known.set(lease.id, lease);
      return opened;
    };
    const timeout = (timeoutMs: number | undefined): object =>
      timeoutMs === undefined ? { scope } : { scope, timeoutMs };
    return {
      role,
      leases,
      peerAdvert: described.peerAdvert,
      pair,
      budget,
      lateMs,
      clock: clockFrom(described.startMs),
      random,
      signal,
      log: this.#log,
      sockets: {
        openUdp: async (options) => remember(await sockets.openUdp(options)),
        openTcp: async (options) => remember(await sockets.openTcp(options)),
      },
      async nextCheck(timeoutMs): Promise<VerifiedCheck | undefined> {
        const check = (await rpc().call('attempt.nextCheck', timeout(timeoutMs))) as {
          readonly lease: string;
          readonly remote: Endpoint;
          readonly rttMs: number;
        } | null;
        const lease = check && known.get(check.lease);
        return lease ? { lease, remote: check.remote, rttMs: check.rttMs } : undefined;
      },
      exchange: async (message) => void (await rpc().call('attempt.exchange', { scope, message })),
      async nextMessage(timeoutMs) {
        const answer = (await rpc().call('attempt.nextMessage', timeout(timeoutMs))) as {
          readonly message?: JsonValue;
        };
        return answer.message;
      },
      progress: (progress) => rpc().notify('progress', { scope, ...progress }),
    };
  }

  /** An outcome as it crosses the border: a check is named by its lease and address. */
  outcome(outcome: PunchOutcome): object {
    if (outcome.outcome === 'failed') return outcome;
    const { lease, remote } = outcome.check;
    return { outcome: 'connected', lease: lease.id, remote };
  }
}
