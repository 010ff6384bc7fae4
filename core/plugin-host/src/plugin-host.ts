import type { JsonValue, PluginModule } from '@awl/api';
import { AwlError, toAwlError } from '@awl/wire';
import { ThirdPartyPlugins, type InstallResult } from './install/third-party.ts';
import { parseManifest } from './manifest/manifest.ts';
import type { PluginExplanation } from './plugin.ts';
import { PluginSet } from './plugin-set.ts';
import type { PluginHostParts } from './ports.ts';
import { PluginRecord } from './record.ts';

/**
 * The plugins of a node. Built-in ones run in its own process; each other one in a process of its own. No code of a plugin is loaded
 * before something that it contributes is needed.
 */
export class PluginHost implements AsyncDisposable {
  readonly #record: PluginRecord;
  readonly #set: PluginSet;
  readonly #thirdParty: ThirdPartyPlugins;

  constructor(parts: PluginHostParts) {
    this.#record = new PluginRecord(parts.storage);
    this.#set = new PluginSet(parts, this.#record);
    this.#thirdParty = new ThirdPartyPlugins(parts, this.#set, this.#record);
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
    this.#set.add(manifest, true, async () => load());
  }

  /** Announces every plugin that is to be enabled; nothing is installed. What must run from the start is then activated beside. */
  async start(): Promise<void> {
    await this.#record.load();
    this.#thirdParty.addInstalled();
    for (const { plugin } of this.#set.entries) {
      const wanted =
        this.#record.data.enabled[plugin.id] ?? (plugin.builtIn && !plugin.manifest.disabledByDefault);
      if (!wanted) continue;
      try {
        this.#set.announce(plugin.id);
      } catch (error) {
        plugin.refuse(toAwlError(error));
      }
    }
  }

  has(idOrName: string): boolean {
    return this.#set.find(idOrName) !== undefined;
  }

  /** Enables a plugin now and from now on; gives a quarantined or failed one another chance. */
  async enable(idOrName: string): Promise<void> {
    const { plugin } = this.#set.get(idOrName);
    if (plugin.status === 'quarantined') await plugin.disable();
    await this.#record.setEnabled(plugin.id, true);
    try {
      this.#set.announce(plugin.id);
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
    const { plugin } = this.#set.get(idOrName);
    await this.#set.freeTransports(plugin, options.force ?? false);
    await this.#set.withdraw(plugin.id);
    await this.#record.setEnabled(plugin.id, false);
  }

  /** Loads its code anew. */
  async reload(idOrName: string): Promise<void> {
    const { plugin } = this.#set.get(idOrName);
    if (!plugin.enabled) return;
    await this.#set.freeTransports(plugin, false);
    await this.#set.withdraw(plugin.id);
    this.#set.announce(plugin.id);
  }

  /**
   * Installs a plugin from a directory, a `.tgz` file or npm, and enables it. Not `confirmed`: only fetches it and tells what it may touch,
   * so that the user can be asked; what is then confirmed is that very package.
   */
  async install(from: string, options: { readonly confirmed: boolean }): Promise<InstallResult> {
    const result = await this.#thirdParty.install(from, options);
    if (result.installed) await this.enable(result.plugin);
    return result;
  }

  /** Removes an installed plugin and what it stored. */
  uninstall(idOrName: string): Promise<void> {
    return this.#thirdParty.uninstall(idOrName);
  }

  /** Runs the plugin in a directory as it is, for its author; not kept over a restart. Returns its id. Call it again to load it anew. */
  develop(directory: string): Promise<string> {
    return this.#thirdParty.develop(directory);
  }

  explain(idOrName: string): PluginExplanation {
    return this.#set.get(idOrName).plugin.explain();
  }

  /** Runs a contributed command. */
  async runCommand(id: string, argument?: JsonValue): Promise<JsonValue> {
    for (const { plugin } of this.#set.entries) {
      if (!plugin.enabled || !plugin.manifest.contributes.commands?.some((command) => command.id === id))
        continue;
      return plugin.runCommand(id, argument);
    }
    throw new AwlError('ERR_PLUGIN_UNKNOWN', `no enabled plugin has the command ${id}`);
  }

  /** Whether some plugin has this setting; throws `ERR_CONFIG_INVALID` where its value is wrong. */
  checkSetting(key: string, value: JsonValue): boolean {
    for (const { manifest } of this.#set.entries) {
      if (!manifest.settings.has(key)) continue;
      const fault = manifest.settings.fault(key, value);
      if (fault !== undefined) throw new AwlError('ERR_CONFIG_INVALID', `${key}: ${fault}`);
      return true;
    }
    return false;
  }

  /** Every plugin setting with its value now. */
  settings(): { readonly [key: string]: JsonValue } {
    return Object.assign({}, ...this.#set.entries.map(({ plugin }) => plugin.state().settings.values)) as {
      [key: string]: JsonValue;
    };
  }

  /** Ends every plugin. */
  async close(): Promise<void> {
    await Promise.all(this.#set.entries.map(({ plugin }) => plugin.disable()));
    this.#thirdParty.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
