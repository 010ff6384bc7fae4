import { join } from 'node:path';
import type { Capability } from '@awl/api';
import { AwlError, toAwlError } from '@awl/wire';
import { pluginId } from '../manifest/ids.ts';
import { effectiveCapabilities } from '../plugin.ts';
import type { PluginSet } from '../plugin-set.ts';
import type { PluginHostParts } from '../ports.ts';
import { isolatedLoader } from '../process/isolated.ts';
import type { PluginRecord } from '../record.ts';
import { oneLine } from '../text.ts';
import { Installer, type StagedPlugin } from './installer.ts';
import { readPackage, type PluginPackage } from './package.ts';

/** What {@link ThirdPartyPlugins.install} found, or did. */
export interface InstallResult {
  readonly plugin: string;
  readonly version: string;
  readonly capabilities: readonly Capability[];
  /** False: nothing was done yet; ask the user, and call it again with `confirmed`. */
  readonly installed: boolean;
}

/** Plugins that are not part of awl: installed, removed, or run from their author's directory. */
export class ThirdPartyPlugins {
  readonly #parts: PluginHostParts;
  readonly #set: PluginSet;
  readonly #record: PluginRecord;
  readonly #staged = new Map<string, StagedPlugin>();

  constructor(parts: PluginHostParts, set: PluginSet, record: PluginRecord) {
    this.#parts = parts;
    this.#set = set;
    this.#record = record;
  }

  /** Adds those that were installed before. One that is damaged gets a row that says so. */
  addInstalled(): void {
    for (const [id, { directory }] of Object.entries(this.#record.data.installed))
      this.#addInstalled(id, directory);
  }

  /**
   * Installs a plugin from a directory, a `.tgz` file or npm; it is not enabled. Not `confirmed`: only fetches it and tells what it may touch,
   * so that the user can be asked; what is then confirmed is that very package.
   */
  async install(from: string, options: { readonly confirmed: boolean }): Promise<InstallResult> {
    const installer = this.#installer();
    const staged = this.#staged.get(from) ?? (await installer.stage(from));
    const { id, manifest } = staged.package;
    const result = { plugin: id, version: manifest.version, capabilities: effectiveCapabilities(manifest) };
    const other = this.#set.find(id);
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
    if (other) await this.#set.remove(id);
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
    return { ...result, installed: true };
  }

  /** Removes an installed plugin, its settings' rows and what it stored. */
  async uninstall(idOrName: string): Promise<void> {
    const id = this.#set.find(idOrName)?.plugin.id ?? pluginId(idOrName);
    if (this.#set.find(id)?.plugin.builtIn) {
      throw new AwlError('ERR_PLUGIN_INSTALL', `${id} is part of awl; disable it instead`);
    }
    if (!this.#record.data.installed[id])
      throw new AwlError('ERR_PLUGIN_UNKNOWN', `no plugin is called ${idOrName}`);
    if (this.#set.find(id)) await this.#set.remove(id);
    else this.#parts.store.apply({ collection: 'plugins', id, value: null });
    await this.#record.remove(id);
    this.#installer().remove(id);
    await this.#parts.storage.save(`plugin-storage/${id}`, undefined);
  }

  /** Runs the plugin in a directory as it is, for its author; not kept over a restart. Returns its id. Call it again to load it anew. */
  async develop(directory: string): Promise<string> {
    const found = readPackage(directory);
    const other = this.#set.find(found.id);
    if (other?.plugin.builtIn)
      throw new AwlError('ERR_PLUGIN_CONFLICT', `a built-in plugin is called ${found.id}, too`);
    if (other) await this.#set.remove(found.id);
    this.#addPackage(found);
    this.#set.announce(found.id);
    await this.#set.get(found.id).plugin.activate();
    return found.id;
  }

  /** Forgets what was fetched and not confirmed. */
  close(): void {
    for (const staged of this.#staged.values()) this.#installer().discard(staged);
    this.#staged.clear();
  }

  #addPackage(found: PluginPackage): void {
    const { id, manifest, directory, entryFile } = found;
    const workDirectory = join(this.#directory(), 'work', id.replaceAll('/', '+'));
    // Its dependencies stand beside it, in the prefix's node_modules.
    const prefix = directory.split('/node_modules/')[0] ?? directory;
    const options = { id, manifest, entryFile, readable: [...new Set([directory, prefix])], workDirectory };
    this.#set.add(found, false, isolatedLoader(options, this.#parts));
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

  #directory(): string {
    const { directory } = this.#parts;
    if (directory === undefined)
      throw new AwlError('ERR_PLUGIN_INSTALL', 'this node has no directory for plugins');
    return directory;
  }

  #installer(): Installer {
    return new Installer(join(this.#directory(), 'installed'));
  }
}
