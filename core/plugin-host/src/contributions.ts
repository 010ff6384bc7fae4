import {
  failed,
  HOOKS,
  type Assessment,
  type Evidence,
  type HookName,
  type HookTap,
  type NatProbe,
  type PluginManifest,
  type PortMapper,
  type PunchStrategy,
  type Transport,
} from '@awl/api';
import type { EngineRegistry, Owner } from '@awl/engine';
import { AwlError } from '@awl/wire';
import { callTaps } from './hook-taps.ts';
import { strategyId } from './manifest/ids.ts';
import type { Registrations } from './registrations.ts';
import { oneLine } from './text.ts';

/** What the proxies need of their plugin. */
export interface Activatable {
  readonly id: string;
  readonly manifest: PluginManifest;
  readonly owner: Owner;
  readonly registrations: Registrations;
  /** Loads and activates the plugin where it is not active. Rejects with why that cannot be. */
  activate(): Promise<void>;
  /** Notes that the plugin's code failed where it must not. */
  fault(where: string, error: unknown): void;
}

const REASON_LENGTH = 200;

/** What activates a plugin. Derived from `contributes`: nothing else loads its code. */
export function activationEvents({ contributes }: PluginManifest): readonly string[] {
  const on = (kind: string, ids: readonly string[]): string[] => ids.map((id) => `on${kind}:${id}`);
  const ids = (list: readonly { readonly id: string }[] | undefined): string[] =>
    (list ?? []).map(({ id }) => id);
  return [
    ...(activatesAtStart(contributes) ? ['onStart'] : []),
    ...on('Strategy', (contributes.strategies ?? []).map(strategyId)),
    ...on('PortMapper', ids(contributes.portMappers)),
    ...on('NatProbe', ids(contributes.natProbes)),
    ...on(
      'Hook',
      (contributes.hooks ?? []).map(({ name }) => name),
    ),
    ...on('Command', ids(contributes.commands)),
  ];
}

/** A transport is attached synchronously; a view and a status item show something only while the plugin runs. */
export function activatesAtStart(contributes: PluginManifest['contributes']): boolean {
  return [contributes.transports, contributes.views, contributes.statusItems].some(
    (list) => (list?.length ?? 0) > 0,
  );
}

async function active<T>(
  plugin: Activatable,
  kind: string,
  id: string,
  of: ReadonlyMap<string, T>,
): Promise<T> {
  await plugin.activate();
  const found = of.get(id);
  if (!found)
    throw new AwlError(
      'ERR_PLUGIN_NOT_CONTRIBUTED',
      `plugin ${plugin.id} contributes the ${kind} ${id}, but did not register it`,
    );
  return found;
}

function reasonOf(plugin: Activatable, error: unknown): string {
  return oneLine(
    `plugin ${plugin.id}: ${error instanceof Error ? error.message : String(error)}`,
    REASON_LENGTH,
  );
}

function checkedAssessment({ likelihood, expectedMs, probes, reason }: Assessment): Assessment {
  if (!(likelihood >= 0 && likelihood <= 1))
    throw new TypeError(`assess gave the likelihood ${String(likelihood)}`);
  return {
    likelihood,
    reason: oneLine(reason, REASON_LENGTH),
    ...(Number.isFinite(expectedMs) ? { expectedMs: Math.max(0, expectedMs ?? 0) } : {}),
    ...(Number.isFinite(probes) ? { probes: Math.max(0, Math.floor(probes ?? 0)) } : {}),
  };
}

/** A contributed strategy before its code is loaded: the first question activates the plugin. */
function lazyStrategy(plugin: Activatable, id: string): PunchStrategy {
  const get = (): Promise<PunchStrategy> => active(plugin, 'strategy', id, plugin.registrations.strategies);
  return {
    id,
    async assess(pair) {
      try {
        return checkedAssessment(await (await get()).assess(pair));
      } catch (error) {
        plugin.fault(`${id} assess`, error);
        return { likelihood: 0, reason: reasonOf(plugin, error) };
      }
    },
    async prepare(context) {
      const strategy = await get();
      return (await strategy.prepare?.(context)) ?? { leases: [] };
    },
    async punch(attempt) {
      try {
        const outcome = await (await get()).punch(attempt);
        return outcome.outcome === 'failed'
          ? failed(outcome.code, oneLine(outcome.reason, REASON_LENGTH))
          : outcome;
      } catch (error) {
        if (attempt.signal.aborted) return failed('aborted', 'the attempt ended');
        plugin.fault(`${id} punch`, error);
        return failed('internal', reasonOf(plugin, error));
      }
    },
  };
}

function lazyMapper(plugin: Activatable, id: string): PortMapper {
  const get = (): Promise<PortMapper> => active(plugin, 'port mapper', id, plugin.registrations.portMappers);
  return {
    id,
    discover: async (signal) => (await get()).discover(signal),
    map: async (request, signal) => (await get()).map(request, signal),
    refresh: async (mapping, signal) => (await get()).refresh(mapping, signal),
    unmap: async (mapping, signal) => (await get()).unmap(mapping, signal),
  };
}

function lazyProbe(plugin: Activatable, id: string): NatProbe {
  return {
    id,
    async *gather(context): AsyncIterable<Evidence> {
      const probe = await active(plugin, 'NAT probe', id, plugin.registrations.natProbes);
      yield* probe.gather(context);
    },
  };
}

function eagerTransport(plugin: Activatable, id: string): Transport {
  return {
    id,
    attach(channel, context) {
      const transport = plugin.registrations.transports.get(id);
      if (!transport)
        throw new AwlError('ERR_PLUGIN_UNKNOWN', `the transport ${id} of plugin ${plugin.id} is not active`);
      return transport.attach(channel, context);
    },
  };
}

function lazyTap(plugin: Activatable, name: HookName): HookTap<HookName> {
  return (async (value: unknown) => {
    await plugin.activate();
    const taps = plugin.registrations.taps.get(name) ?? [];
    if (taps.length === 0 && HOOKS[name].authorizing) {
      throw new AwlError(
        'ERR_PLUGIN_NOT_CONTRIBUTED',
        `plugin ${plugin.id} contributes the hook ${name}, but has no tap on it`,
      );
    }
    return callTaps(name, taps, value);
  }) as HookTap<HookName>;
}

/** Denies whatever is asked: stands in for the authorizing taps of a quarantined plugin until the user disables it. */
export function denyingTaps(plugin: Activatable, registry: EngineRegistry, reason: string): DisposableStack {
  using stack = new DisposableStack();
  for (const { name, order } of plugin.manifest.contributes.hooks ?? []) {
    if (!HOOKS[name].authorizing) continue;
    stack.use(registry.tap(name, () => ({ deny: reason }), plugin.owner, order));
  }
  return stack.move();
}

/** Announces all that a plugin contributes to the engine, without loading its code. */
export function contribute(plugin: Activatable, registry: EngineRegistry): DisposableStack {
  const { owner } = plugin;
  const { contributes } = plugin.manifest;
  using stack = new DisposableStack();
  for (const strategy of contributes.strategies ?? []) {
    stack.use(registry.addStrategy(lazyStrategy(plugin, strategyId(strategy)), owner, strategy.transport));
  }
  for (const { id } of contributes.portMappers ?? [])
    stack.use(registry.addPortMapper(lazyMapper(plugin, id), owner));
  for (const { id } of contributes.natProbes ?? [])
    stack.use(registry.addNatProbe(lazyProbe(plugin, id), owner));
  for (const { id } of contributes.transports ?? [])
    stack.use(registry.addTransport(eagerTransport(plugin, id), owner));
  for (const { name, order } of contributes.hooks ?? [])
    stack.use(registry.tap(name, lazyTap(plugin, name), owner, order));
  return stack.move();
}
