import {
  connected,
  failed,
  sameEndpoint,
  type Attempt,
  type Clock,
  type Evidence,
  type HookName,
  type HookTap,
  type JsonValue,
  type NatProbe,
  type PortMapper,
  type Preparation,
  type PrepareContext,
  type ProbeContext,
  type PunchOutcome,
  type PunchStrategy,
} from '@awl/api';
import { AwlError } from '@awl/wire';
import type { Command } from '../registrations.ts';
import { machineNowMs } from './machine-time.ts';
import type { Rpc } from './rpc.ts';
import { checkAnswer, checkHookResult, type Answers } from './schemas.ts';
import { leaseInfo, type Scope, type Scopes } from './scopes.ts';

/** How long a strategy may take to come back after its attempt was aborted. */
const ABORT_GRACE_MS = 1000;

/** A preparation that no attempt takes up is forgotten after so long. */
const PREPARED_MS = 5 * 60_000;

/** Makes the things a plugin process registers: each call of theirs is one call to the process. */
export class Proxies {
  readonly #rpc: Rpc;
  readonly #scopes: Scopes;
  readonly #clock: Clock;

  constructor(rpc: Rpc, scopes: Scopes, clock: Clock) {
    this.#rpc = rpc;
    this.#scopes = scopes;
    this.#clock = clock;
  }

  strategy(id: string): PunchStrategy {
    return {
      id,
      assess: async (pair) => {
        const { expectedMs, probes, ...rest } = await this.#call('strategy.assess', { strategy: id, pair });
        return {
          ...rest,
          ...(expectedMs === undefined ? {} : { expectedMs }),
          ...(probes === undefined ? {} : { probes }),
        };
      },
      prepare: (context) => this.#prepare(id, context),
      punch: (attempt) => this.#punch(id, attempt),
    };
  }

  portMapper(id: string): PortMapper {
    return {
      id,
      discover: async (signal) => {
        const gateway = await this.#call('mapper.discover', { mapper: id }, signal);
        if (gateway === null) return undefined;
        const { address, description, externalAddress } = gateway;
        return { address, description, ...(externalAddress === undefined ? {} : { externalAddress }) };
      },
      map: (request, signal) => this.#call('mapper.map', { mapper: id, request }, signal),
      refresh: (mapping, signal) => this.#call('mapper.refresh', { mapper: id, mapping }, signal),
      unmap: async (mapping, signal) =>
        void (await this.#call('mapper.unmap', { mapper: id, mapping }, signal)),
    };
  }

  natProbe(id: string): NatProbe {
    const gather = async function* (this: Proxies, context: ProbeContext): AsyncIterable<Evidence> {
      const scope = this.#scopes.open(context.sockets);
      using _abort = this.#abortWith(scope, context.signal);
      try {
        yield* (await this.#call(
          'probe.gather',
          { probe: id, scope: scope.id },
          context.signal,
        )) as readonly Evidence[];
      } finally {
        this.#scopes.close(scope, () => false);
      }
    };
    return { id, gather: gather.bind(this) };
  }

  command(id: string): Command {
    return {
      id,
      run: async (argument) =>
        (await this.#call('command.run', {
          command: id,
          ...(argument === undefined ? {} : { argument }),
        })) as JsonValue,
    };
  }

  tap(name: HookName): HookTap<HookName> {
    const call = async (value: unknown): Promise<unknown> =>
      checkHookResult(name, await this.#rpc.call('hook.call', { hook: name, value }));
    return call as HookTap<HookName>;
  }

  async #call<Name extends keyof Answers>(
    method: Name,
    params: object,
    signal?: AbortSignal,
  ): Promise<Answers[Name]> {
    return checkAnswer(method, await this.#rpc.call(method, params, signal));
  }

  /** Tells the process when the work in a scope is to end. */
  #abortWith(scope: Scope, signal: AbortSignal): Disposable {
    const onAbort = (): void => this.#rpc.notify('scope.abort', { scope: scope.id });
    signal.addEventListener('abort', onAbort, { once: true });
    return { [Symbol.dispose]: () => signal.removeEventListener('abort', onAbort) };
  }

  async #prepare(strategy: string, { sockets, local, remote, signal }: PrepareContext): Promise<Preparation> {
    const scope = this.#scopes.open(sockets);
    try {
      using _abort = this.#abortWith(scope, signal);
      const params = { strategy, scope: scope.id, local, ...(remote ? { remote } : {}) };
      const answer = await this.#call('strategy.prepare', params, signal);
      const leases = answer.leases.map((id) => scope.leases.get(id) ?? this.#scopes.lease(id));
      for (const lease of scope.leases.values()) if (!leases.includes(lease)) this.#scopes.dispose(lease.id);
      // From here on the engine owns them; the process may use them until then.
      const forget = (): void => this.#scopes.close(scope, () => true);
      scope.expiry = this.#clock.schedule(PREPARED_MS, forget);
      signal.addEventListener('abort', forget, { once: true });
      return { leases, ...(answer.advert === undefined ? {} : { advert: answer.advert as JsonValue }) };
    } catch (error) {
      this.#scopes.close(scope, () => false);
      throw error;
    }
  }

  async #punch(strategy: string, attempt: Attempt): Promise<PunchOutcome> {
    const scope = this.#scopes.open(attempt.sockets, attempt);
    for (const lease of attempt.leases) this.#scopes.adopt(scope, lease);
    const late = new AbortController();
    using timers = new DisposableStack();
    timers.use(this.#abortWith(scope, attempt.signal));
    const onAbort = (): void => {
      timers.use(
        this.#clock.schedule(ABORT_GRACE_MS, () => late.abort(new AwlError('ERR_ATTEMPT_CANCELLED'))),
      );
    };
    attempt.signal.addEventListener('abort', onAbort, { once: true });
    try {
      const { role, leases, peerAdvert, pair, budget, lateMs } = attempt;
      const result = await this.#call(
        'strategy.punch',
        {
          strategy,
          scope: scope.id,
          role,
          leases: leases.map(leaseInfo),
          ...(peerAdvert === undefined ? {} : { peerAdvert }),
          pair,
          budget,
          lateMs,
          startMs: machineNowMs() - attempt.clock.now(),
        },
        late.signal,
      );
      if (result.outcome === 'failed') return failed(result.code, result.reason);
      const check = scope.checks.find(
        ({ lease, remote }) => lease.id === result.lease && sameEndpoint(remote, result.remote),
      );
      return check ? connected(check) : failed('internal', 'it named a path that no check went over');
    } finally {
      attempt.signal.removeEventListener('abort', onAbort);
      this.#scopes.close(scope, () => true); // the engine revokes what is not the winning path's
    }
  }
}
