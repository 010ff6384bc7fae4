import type {
  EngineState,
  HookName,
  JsonValue,
  Logger,
  PluginContext,
  PluginManifest,
  ViewData,
} from '@awl/api';
import { registriesFor, type Registrations } from '../../registrations.ts';
import type { Rpc } from '../rpc.ts';
import { clockFrom, random } from './clock.ts';
import type { RemoteHost } from './lan.ts';
import type { Leases } from './leases.ts';

/** Views and status items leave at most so often. */
const VIEW_INTERVAL_MS = 250;

/** What the node sends at activation and after. */
export interface RemoteSettings {
  readonly values: Map<string, JsonValue>;
  readonly listeners: Set<(key: string, value: JsonValue | undefined) => void>;
}

export interface ContextParts {
  readonly manifest: PluginManifest;
  readonly rpc: Rpc;
  readonly registrations: Registrations;
  readonly leases: Leases;
  readonly host: RemoteHost;
  readonly settings: RemoteSettings;
  readonly log: Logger;
  readonly state: () => EngineState;
  readonly signal: AbortSignal;
}

/** Sends the newest of each id, four times a second at most. */
function throttled(send: (id: string, value: unknown) => void): (id: string, value: unknown) => void {
  const waiting = new Map<string, unknown>();
  const resting = new Set<string>();
  const put = (id: string, value: unknown): void => {
    if (resting.has(id)) return void waiting.set(id, value);
    send(id, value);
    resting.add(id);
    setTimeout(() => {
      resting.delete(id);
      if (!waiting.has(id)) return;
      const next = waiting.get(id);
      waiting.delete(id);
      put(id, next);
    }, VIEW_INTERVAL_MS).unref();
  };
  return put;
}

/** The log of this process; the node bounds it. */
export function remoteLog(rpc: () => Rpc): Logger {
  const at = (level: keyof Logger) => (message: string, data?: JsonValue) =>
    rpc().notify('log', {
      level,
      message: message.slice(0, 4000),
      ...(data === undefined ? {} : { data }),
    });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Tells the node what is registered, once for all changes of a turn. */
function announcer(rpc: Rpc, registrations: Registrations): () => void {
  let queued = false;
  return () => {
    if (queued) return;
    queued = true;
    queueMicrotask(() => {
      queued = false;
      announce(rpc, registrations);
    });
  };
}

/** Tells the node what is registered. */
export function announce(
  rpc: Rpc,
  { strategies, portMappers, natProbes, commands, taps }: Registrations,
): void {
  const hooks = [...taps].filter(([, list]) => list.length > 0).map(([name]) => name);
  rpc.notify('registered', {
    strategies: [...strategies.keys()],
    portMappers: [...portMappers.keys()],
    natProbes: [...natProbes.keys()],
    commands: [...commands.keys()],
    hooks,
  });
}

/** The context of a plugin in this process: registering is checked here, so that it can throw, and again by the node. */
export function remoteContext(parts: ContextParts): PluginContext {
  const { rpc, settings } = parts;
  const changed = announcer(rpc, parts.registrations);
  const registries = registriesFor(parts.manifest, parts.registrations);
  const announcing = (registration: Disposable): Disposable => {
    changed();
    return {
      [Symbol.dispose]: () => {
        registration[Symbol.dispose]();
        changed();
      },
    };
  };
  const sendView = throttled((id, data) => rpc.notify('view', { id, data }));
  const sendStatus = throttled((id, text) => rpc.notify('status', { id, text }));
  return {
    strategies: { register: (strategy) => announcing(registries.strategies.register(strategy)) },
    portMappers: { register: (mapper) => announcing(registries.portMappers.register(mapper)) },
    natProbes: { register: (probe) => announcing(registries.natProbes.register(probe)) },
    transports: registries.transports,
    commands: { register: (command) => announcing(registries.commands.register(command)) },
    hooks: {
      on: <Name extends HookName>(name: Name, tap: Parameters<typeof registries.hooks.on<Name>>[1]) =>
        announcing(registries.hooks.on(name, tap)),
    },
    views: { set: (id: string, data: ViewData) => sendView(id, data) },
    statusItems: { set: (id, text) => sendStatus(id, text) },
    configuration: {
      get: (key) => settings.values.get(key),
      onDidChange: (listener) => {
        settings.listeners.add(listener);
        return { [Symbol.dispose]: () => void settings.listeners.delete(listener) };
      },
    },
    storage: {
      get: async (key) => ((await rpc.call('storage.get', { key })) as { readonly value?: JsonValue }).value,
      set: async (key, value) => void (await rpc.call('storage.set', { key, value })),
      delete: async (key) => void (await rpc.call('storage.delete', { key })),
    },
    log: parts.log,
    host: parts.host,
    sockets: parts.leases.sockets(0),
    clock: clockFrom(0),
    random,
    engine: {
      state: () => {
        rpc.notify('state.want', {});
        return parts.state();
      },
    },
    signal: parts.signal,
  };
}
