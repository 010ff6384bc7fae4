import type { JsonValue, PluginModule } from '@awl/api';
import { AwlError, toAwlError } from '@awl/wire';
import { Claims } from './claims.ts';
import { activatesAtStart } from './contributions.ts';
import { parseManifest, pluginId, type Manifest } from './manifest/manifest.ts';
import { Plugin, type PluginExplanation, type PluginLoader } from './plugin.ts';
import type { PluginHostParts } from './ports.ts';
import { PluginRecord } from './record.ts';

interface Entry {
  readonly manifest: Manifest;
  readonly plugin: Plugin;
}

/**
 * The plugins of a node. Built-in ones run in its own process; each other one in a process of its own. No code of a plugin is loaded
 * before something that it contributes is needed.
 */
export class PluginHost implements AsyncDisposable {
  readonly #parts: PluginHostParts;
  readonly #record: PluginRecord;
  readonly #claims = new Claims();
  readonly #entries = new Map<string, Entry>();

  constructor(parts: PluginHostParts) {
    this.#parts = parts;
    this.#record = new PluginRecord(parts.storage);
  }

  /**
   * Adds a plugin that is part of awl. Call it before {@link start}.
   * @param packageJson its parsed package.json
   * @param load its module, such as `() => import('@awl/plugin-upnp')`
   */
  addBuiltIn(packageJson: unknown, load: () => Promise<PluginModule> | PluginModule): void {
    const name = (packageJson as { readonly name?: unknown } | null)?.name;
    const manifest = parseManifest(
      packageJson,
      `${typeof name === 'string' ? name : 'built-in plugin'}/package.json`,
    );
    this.#add(manifest, true, async () => load());
  }

  /** Announces every plugin that is to be enabled; nothing is installed. What must run from the start is then activated beside. */
  async start(): Promise<void> {
    await this.#record.load();
    for (const { plugin } of this.#entries.values()) {
      const wanted = this.#record.data.enabled[plugin.id] ?? !plugin.manifest.disabledByDefault;
      if (!wanted) continue;
      try {
        this.#announce(plugin.id);
      } catch (error) {
        plugin.refuse(toAwlError(error));
      }
    }
  }

  has(idOrName: string): boolean {
    return this.#find(idOrName) !== undefined;
  }

  /** Enables a plugin now and from now on; gives a quarantined or failed one another chance. */
  async enable(idOrName: string): Promise<void> {
    const { plugin } = this.#get(idOrName);
    if (plugin.status === 'quarantined') await plugin.disable();
    await this.#record.setEnabled(plugin.id, true);
    try {
      this.#announce(plugin.id);
    } catch (error) {
      plugin.refuse(toAwlError(error));
      throw error;
    }
  }

  /**
   * Disables a plugin now and from now on. Running sessions stay; those on one of its transports are moved to other paths.
   * Rejects with `ERR_PLUGIN_IN_USE` where they cannot be; `force` cuts them.
   */
  async disable(idOrName: string, options: { readonly force?: boolean } = {}): Promise<void> {
    const { plugin } = this.#get(idOrName);
    await this.#freeTransports(plugin, options.force ?? false);
    await this.#withdraw(plugin.id);
    await this.#record.setEnabled(plugin.id, false);
  }

  /** Loads its code anew. */
  async reload(idOrName: string): Promise<void> {
    const { plugin } = this.#get(idOrName);
    if (!plugin.enabled) return;
    await this.#freeTransports(plugin, false);
    await this.#withdraw(plugin.id);
    this.#announce(plugin.id);
  }

  explain(idOrName: string): PluginExplanation {
    return this.#get(idOrName).plugin.explain();
  }

  /** Runs a contributed command. */
  async runCommand(id: string, argument?: JsonValue): Promise<JsonValue> {
    for (const { plugin } of this.#entries.values()) {
      if (!plugin.enabled || !plugin.manifest.contributes.commands?.some((command) => command.id === id))
        continue;
      return plugin.runCommand(id, argument);
    }
    throw new AwlError('ERR_PLUGIN_UNKNOWN', `no enabled plugin has the command ${id}`);
  }

  /** Whether some plugin has this setting; throws `ERR_CONFIG_INVALID` where its value is wrong. */
  checkSetting(key: string, value: JsonValue): boolean {
    for (const { manifest } of this.#entries.values()) {
      if (!manifest.settings.has(key)) continue;
      const fault = manifest.settings.fault(key, value);
      if (fault !== undefined) throw new AwlError('ERR_CONFIG_INVALID', `${key}: ${fault}`);
      return true;
    }
    return false;
  }

  /** Every plugin setting with its value now. */
  settings(): { readonly [key: string]: JsonValue } {
    return Object.assign(
      {},
      ...[...this.#entries.values()].map(({ plugin }) => plugin.state().settings.values),
    ) as {
      [key: string]: JsonValue;
    };
  }

  /** Ends every plugin. */
  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ plugin }) => plugin.disable()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #add(manifest: Manifest, builtIn: boolean, load: PluginLoader): void {
    const other = this.#entries.get(manifest.id);
    if (other) {
      const names = `${manifest.manifest.name} and ${other.manifest.manifest.name}`;
      throw new AwlError('ERR_PLUGIN_CONFLICT', `${names} are both called ${manifest.id}`);
    }
    const plugin = new Plugin(manifest, builtIn, load, this.#parts, (quarantined) => {
      this.#claims.release(manifest);
      this.#record
        .setQuarantined(quarantined.id, quarantined.failure?.message ?? '')
        .catch((error: unknown) => {
          this.#parts.log(
            'error',
            quarantined.id,
            `its quarantine could not be stored: ${toAwlError(error).message}`,
          );
        });
    });
    this.#entries.set(manifest.id, { manifest, plugin });
  }

  #find(idOrName: string): Entry | undefined {
    return this.#entries.get(idOrName) ?? this.#entries.get(pluginId(idOrName));
  }

  #get(idOrName: string): Entry {
    const entry = this.#find(idOrName);
    if (!entry) throw new AwlError('ERR_PLUGIN_UNKNOWN', `no plugin is called ${idOrName}`);
    return entry;
  }

  #announce(id: string): void {
    const { manifest, plugin } = this.#get(id);
    if (plugin.enabled) return;
    const reason = this.#record.data.quarantined[id];
    if (reason !== undefined) return plugin.quarantine(new AwlError('ERR_PLUGIN_QUARANTINED', reason));
    this.#claims.take(manifest);
    try {
      plugin.enable();
    } catch (error) {
      this.#claims.release(manifest);
      throw error;
    }
    // Its failure stands in its row.
    if (activatesAtStart(manifest.manifest.contributes)) plugin.activate().catch(() => undefined);
  }

  async #withdraw(id: string): Promise<void> {
    const { manifest, plugin } = this.#get(id);
    await plugin.disable();
    this.#claims.release(manifest);
  }

  async #freeTransports(plugin: Plugin, force: boolean): Promise<void> {
    const { registry } = this.#parts;
    if (registry.sessionsUsing(plugin.owner).length > 0)
      await registry.releaseTransports(plugin.owner, force);
    const left = registry.sessionsUsing(plugin.owner);
    if (left.length > 0) {
      throw new AwlError(
        'ERR_PLUGIN_IN_USE',
        `${left.length} open sessions use a transport of ${plugin.id}: ${left.join(', ')}`,
      );
    }
  }
}
