import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { delay, type JsonValue } from '@awl/api';
import type { Engine } from '@awl/engine';
import { PluginHost, type StoragePort } from '@awl/plugin-host';
import { AwlError } from '@awl/wire';
import lanDirect from '@awl/plugin-lan-direct/package.json' with { type: 'json' };
import natPmpPcp from '@awl/plugin-nat-pmp-pcp/package.json' with { type: 'json' };
import tcpSimultaneousOpen from '@awl/plugin-tcp-simultaneous-open/package.json' with { type: 'json' };
import udpKcp from '@awl/plugin-udp-kcp/package.json' with { type: 'json' };
import upnp from '@awl/plugin-upnp/package.json' with { type: 'json' };
import type { Home } from './home.ts';
import type { NodeLog } from './log.ts';
import type { NodeSettings } from './settings.ts';
import { readText, writePrivate, type Files } from './storage/files.ts';

export interface PluginParts {
  readonly home: Home;
  readonly files: Files;
  readonly engine: Engine;
  readonly settings: NodeSettings;
  readonly log: NodeLog;
}

/** The plugin host with the plugins that are part of awl; none is started yet. */
export function createPlugins({ home, files, engine, settings, log }: PluginParts): PluginHost {
  const host = new PluginHost({
    registry: engine.registry,
    store: engine.state,
    clock: engine.clock,
    random: engine.random,
    storage: fileStorage(join(home.directory, 'state'), files),
    settings: settings.plugins,
    log: (level, source, text) => log.write(level, source, text),
    directory: home.pluginsDirectory,
  });
  host.addBuiltIn(lanDirect, () => import('@awl/plugin-lan-direct'));
  host.addBuiltIn(udpKcp, () => import('@awl/plugin-udp-kcp'));
  host.addBuiltIn(tcpSimultaneousOpen, () => import('@awl/plugin-tcp-simultaneous-open'));
  host.addBuiltIn(upnp, () => import('@awl/plugin-upnp'));
  host.addBuiltIn(natPmpPcp, () => import('@awl/plugin-nat-pmp-pcp'));
  return host;
}

/** Loading a plugin takes milliseconds; one that hangs must not keep the node from starting. */
const ACTIVATION_PATIENCE_MS = 3000;
/** Patches of the state come less often. */
const LOOK_EVERY_MS = 5;

/** Resolves when the plugins that run from the start have started, or failed: a transport can be attached only then. */
export async function untilActivated({ state, clock }: Engine): Promise<void> {
  const deadline = clock.now() + ACTIVATION_PATIENCE_MS;
  const isActivating = (): boolean =>
    Object.values(state.state.plugins).some(({ status }) => status === 'activating');
  while (isActivating() && clock.now() < deadline) await delay(clock, LOOK_EVERY_MS);
}

/** One JSON file per document. Names come from plugins: what is no plain name is encoded. */
export function fileStorage(directory: string, files: Files): StoragePort {
  const pathOf = (name: string): string =>
    join(directory, `${encodeURIComponent(name).replaceAll('.', '%2E')}.json`);
  return {
    async load(name) {
      const path = pathOf(name);
      const text = await readText(path);
      if (text === undefined) return undefined;
      try {
        return JSON.parse(text) as JsonValue;
      } catch (cause) {
        throw new AwlError('ERR_STORAGE', `${path} is damaged: it is not JSON.`, { cause });
      }
    },
    async save(name, value) {
      if (value === undefined) return rm(pathOf(name), { force: true });
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await writePrivate(files, pathOf(name), JSON.stringify(value));
    },
  };
}
