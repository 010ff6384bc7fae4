import { join } from 'node:path';
import type { Capability, JsonValue, PluginModule } from '@awl/api';
import { AwlError, toAwlError } from '@awl/wire';
import { Claims } from './claims.ts';
import { activatesAtStart } from './contributions.ts';
import { Installer, type StagedPlugin } from './install/installer.ts';
import { readPackage, type PluginPackage } from './install/package.ts';
import { pluginId } from './manifest/ids.ts';
import { parseManifest, type Manifest } from './manifest/manifest.ts';
import { Plugin, type PluginExplanation, type PluginLoader } from './plugin.ts';
import type { PluginHostParts } from './ports.ts';
import { isolatedLoader } from './process/isolated.ts';
import { PluginRecord } from './record.ts';
import { oneLine } from './text.ts';

interface Entry {
  readonly manifest: Manifest;
  readonly plugin: Plugin;
}

/** What {@link PluginHost.install} found, or did. */
export interface InstallResult {
  readonly plugin: string;
  readonly version: string;
  readonly capabilities: readonly Capability[];
  /** False: nothing was done yet; ask the user, and call it again with `confirmed`. */
  readonly installed: boolean;
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
  readonly #staged = new Map<string, StagedPlugin>();

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
    for (const [id, { directory }] of Object.entries(this.#record.data.installed))
      this.#addInstalled(id, directory);
    for (const { plugin } of this.#entries.values()) {
      const wanted =
        this.#record.data.enabled[plugin.id] ?? (plugin.builtIn && !plugin.manifest.disabledByDefault);
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

  /**
   * Installs a plugin from a directory, a `.tgz` file or npm, and enables it. Not `confirmed`: only fetches it and tells what it may touch,
   * so that the user can be asked; what is then confirmed is that very package.
   */
  async install(from: string, options: { readonly confirmed: boolean }): Promise<InstallResult> {
    const installer = this.#installer();
    const staged = this.#staged.get(from) ?? (await installer.stage(from));
    const { id, manifest } = staged.package;
    const result = { plugin: id, version: manifest.version, capabilities: manifest.capabilities };
    const other = this.#entries.get(id);
    if (other && (other.plugin.builtIn || other.manifest.manifest.name !== manifest.name)) {
      installer.discard(staged);
      this.#staged.delete(from);
      throw new AwlError(
        'ERR_PLUGIN_CONFLICT',
        `${manifest.name} and ${other.manifest.manifest.name} are both called ${id}`,
      );
    }
    if (!options.confirmed) {
      this.#staged.set(from, staged);
      return { ...result, installed: false };
    }
    this.#staged.delete(from);
    if (other) await this.#remove(id);
    const directory = installer.place(staged);
    const { integrity } = staged;
    await this.#record.setInstalled(id, {
      name: manifest.name,
      version: manifest.version,
      directory,
      from,
      ...(integrity === undefined ? {} : { integrity }),
    });
    this.#addPackage(readPackage(directory));
    await this.enable(id);
    return { ...result, installed: true };
  }

  /** Removes an installed plugin, its settings' rows and what it stored. */
  async uninstall(idOrName: string): Promise<void> {
    const id = this.#find(idOrName)?.plugin.id ?? pluginId(idOrName);
    if (this.#entries.get(id)?.plugin.builtIn) {
      throw new AwlError('ERR_PLUGIN_INSTALL', `${id} is part of awl; disable it instead`);
    }
    if (!this.#record.data.installed[id])
      throw new AwlError('ERR_PLUGIN_UNKNOWN', `no plugin is called ${idOrName}`);
    if (this.#entries.has(id)) await this.#remove(id);
    else this.#parts.store.apply({ collection: 'plugins', id, value: null });
    await this.#record.remove(id);
    this.#installer().remove(id);
    await this.#parts.storage.save(`plugin-storage/${id}`, undefined);
  }

  /** Runs the plugin in a directory as it is, for its author; not kept over a restart. Returns its id. Call it again to load it anew. */
  async develop(directory: string): Promise<string> {
    const found = readPackage(directory);
    const other = this.#entries.get(found.id);
    if (other?.plugin.builtIn)
      throw new AwlError('ERR_PLUGIN_CONFLICT', `a built-in plugin is called ${found.id}, too`);
    if (other) await this.#remove(found.id);
    this.#addPackage(found);
    this.#announce(found.id);
    await this.#get(found.id).plugin.activate();
    return found.id;
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
    for (const staged of this.#staged.values()) this.#installer().discard(staged);
    this.#staged.clear();
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

  #addPackage(found: PluginPackage): void {
    const { id, manifest, directory, entryFile } = found;
    const workDirectory = join(this.#directory(), 'work', id.replaceAll('/', '+'));
    // Its dependencies stand beside it, in the prefix's node_modules.
    const prefix = directory.split('/node_modules/')[0] ?? directory;
    const options = { id, manifest, entryFile, readable: [...new Set([directory, prefix])], workDirectory };
    this.#add(found, false, isolatedLoader(options, this.#parts));
  }

  #addInstalled(id: string, directory: string): void {
    try {
      this.#addPackage(readPackage(directory));
    } catch (error) {
      const { code, message } = toAwlError(error);
      const { name, version } = this.#record.data.installed[id] ?? { name: id, version: '' };
      const reason = oneLine(message, 300);
      const row = {
        id,
        displayName: name,
        description: '',
        version,
        builtIn: false,
        status: 'failed',
        capabilities: [],
        failures: 1,
      } as const;
      this.#parts.store.apply({
        collection: 'plugins',
        id,
        value: { ...row, code, reason, contributes: [], settings: { values: {} } },
      });
      this.#parts.log('error', id, reason);
    }
  }

  async #remove(id: string): Promise<void> {
    const { plugin } = this.#get(id);
    await this.#withdraw(id);
    await plugin[Symbol.asyncDispose]();
    this.#entries.delete(id);
  }

  #directory(): string {
    const { directory } = this.#parts;
    if (directory === undefined)
      throw new AwlError('ERR_PLUGIN_INSTALL', 'this node has no directory for plugins');
    return directory;
  }

  #installer(): Installer {
    return new Installer(join(this.#directory(), 'installed'));
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
