import type { PluginContext } from '@awl/api';
import type { Owner } from '@awl/engine';
import type { PluginConfiguration } from './configuration.ts';
import type { PluginLog } from './log.ts';
import type { PluginHostParts } from './ports.ts';
import { publicState } from './public-state.ts';
import { registriesFor, type Registrations } from './registrations.ts';
import type { PluginStorage } from './storage.ts';
import type { PluginViews } from './views.ts';
import type { PluginManifest } from '@awl/api';

/** What one activation of a plugin is given. */
export interface ContextParts {
  readonly manifest: PluginManifest;
  readonly owner: Owner;
  readonly registrations: Registrations;
  readonly views: PluginViews;
  readonly configuration: PluginConfiguration;
  readonly storage: PluginStorage;
  readonly log: PluginLog;
  readonly signal: AbortSignal;
}

/** All that a plugin can reach, in-process or through its process's border. */
export function createContext(parts: ContextParts, host: PluginHostParts): PluginContext {
  const { owner, views, signal } = parts;
  return {
    ...registriesFor(parts.manifest, parts.registrations),
    views: { set: (id, data) => views.setView(id, data) },
    statusItems: { set: (id, text) => views.setStatusItem(id, text) },
    configuration: {
      get: (key) => parts.configuration.get(key),
      onDidChange: (listener) => parts.configuration.onDidChange(listener),
    },
    storage: parts.storage,
    log: parts.log,
    host: host.registry.hostFor(owner),
    sockets: host.registry.socketsFor(owner, signal),
    clock: host.clock,
    random: host.random,
    engine: { state: () => publicState(host.store.state) },
    signal,
  };
}
