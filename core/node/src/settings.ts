import type { JsonValue } from '@awl/api';
import type { Engine } from '@awl/engine';
import type { PluginHost, SettingsPort } from '@awl/plugin-host';
import { flatten, pathOf, valueAt, withValue } from './config/keys.ts';
import type { HomeConfig } from './config/home-config.ts';
import type { NodeConfig } from './config/schema.ts';

/** What happens when a part of the configuration changes in a running node. */
export interface SettingEffects {
  rendezvous(config: NodeConfig): Promise<void>;
  name(config: NodeConfig): Promise<void>;
  password(config: NodeConfig): Promise<void>;
  logLevel(config: NodeConfig): void;
}

/** The configuration of a running node, and its changes. */
export class NodeSettings {
  config: NodeConfig;
  readonly #homeConfig: HomeConfig;
  readonly #listeners = new Set<(key: string, value: JsonValue | undefined) => void>();
  #live: { engine: Engine; plugins: PluginHost; effects: SettingEffects } | undefined;

  constructor(config: NodeConfig, homeConfig: HomeConfig) {
    this.config = config;
    this.#homeConfig = homeConfig;
  }

  /** From now on changes take effect. */
  connect(engine: Engine, plugins: PluginHost, effects: SettingEffects): void {
    this.#live = { engine, plugins, effects };
    engine.configure(engineSettings(this.config));
  }

  /** What the user set; for a plugin's setting its default too. Null where nothing is set. */
  get(key?: string): JsonValue {
    const settings = this.#live?.plugins.settings() ?? {};
    if (key !== undefined && Object.hasOwn(settings, key)) return settings[key] ?? null;
    return valueAt(this.config, key) ?? null;
  }

  /** Validates, writes AWL_HOME's configuration, and makes it so. */
  async set(key: string, value: JsonValue): Promise<void> {
    const full = this.#live?.plugins.checkSetting(key, value) ? `settings.${key}` : key;
    const [section = '', name = ''] = pathOf(full);
    if (section === 'settings') this.#live?.plugins.checkSetting(name, value);
    const config = withValue(this.config, full, value);
    await this.#homeConfig.set(full, value);
    this.config = config;
    await this.#apply(section, name, value);
  }

  async #apply(section: string, name: string, value: JsonValue): Promise<void> {
    const live = this.#live;
    if (!live) return;
    if (section === 'settings') for (const listener of this.#listeners) listener(name, value ?? undefined);
    if (['limits', 'strategies', 'probing', 'transport'].includes(section))
      live.engine.configure(engineSettings(this.config));
    if (section === 'rendezvous') await live.effects.rendezvous(this.config);
    if (section === 'name') await live.effects.name(this.config);
    if (section === 'password') await live.effects.password(this.config);
    if (section === 'log') live.effects.logLevel(this.config);
    if (section === 'plugins') await applyPlugins(this.config, live.plugins);
  }

  /** The plugins' part, as the plugin host reads it. */
  get plugins(): SettingsPort {
    return {
      get: (key) => this.config.settings?.[key] as JsonValue | undefined,
      onDidChange: (listener) => {
        this.#listeners.add(listener);
        return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
      },
    };
  }
}

/** Enables and disables what the configuration says. */
export async function applyPlugins(config: NodeConfig, plugins: PluginHost): Promise<void> {
  for (const [id, { enabled }] of Object.entries(config.plugins ?? {})) {
    await (enabled ? plugins.enable(id) : plugins.disable(id));
  }
}

/** `limits.sockets`, `strategies.NAME.enabled`, `transport`: what the engine itself has settings for. */
function engineSettings(config: NodeConfig): { [key: string]: JsonValue } {
  return Object.fromEntries(
    flatten(config).filter(([key]) => /^(limits|strategies|probing)\.|^transport$/.test(key)),
  );
}
