import { AwlError, toAwlError } from '@awl/wire';
import { Claims } from './claims.ts';
import { activatesAtStart } from './contributions.ts';
import { pluginId } from './manifest/ids.ts';
import type { Manifest } from './manifest/manifest.ts';
import { Plugin, type PluginLoader } from './plugin.ts';
import type { PluginHostParts } from './ports.ts';
import type { PluginRecord } from './record.ts';

interface Entry {
  readonly manifest: Manifest;
  readonly plugin: Plugin;
}

/** The plugins that are there, by id, and which of them are announced to the engine. */
export class PluginSet {
  readonly #parts: PluginHostParts;
  readonly #record: PluginRecord;
  readonly #claims = new Claims();
  readonly #entries = new Map<string, Entry>();

  constructor(parts: PluginHostParts, record: PluginRecord) {
    this.#parts = parts;
    this.#record = record;
  }

  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  /** Throws `ERR_PLUGIN_CONFLICT` where another plugin has its id. */
  add(manifest: Manifest, builtIn: boolean, load: PluginLoader): void {
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

  find(idOrName: string): Entry | undefined {
    return this.#entries.get(idOrName) ?? this.#entries.get(pluginId(idOrName));
  }

  /** Throws `ERR_PLUGIN_UNKNOWN`. */
  get(idOrName: string): Entry {
    const entry = this.find(idOrName);
    if (!entry) throw new AwlError('ERR_PLUGIN_UNKNOWN', `no plugin is called ${idOrName}`);
    return entry;
  }

  /** Announces a plugin to the engine. Throws `ERR_PLUGIN_CONFLICT`. */
  announce(id: string): void {
    const { manifest, plugin } = this.get(id);
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

  /** Takes back all that a plugin has in the engine. */
  async withdraw(id: string): Promise<void> {
    const { manifest, plugin } = this.get(id);
    await plugin.disable();
    this.#claims.release(manifest);
  }

  /** Takes a plugin out altogether. */
  async remove(id: string): Promise<void> {
    const { plugin } = this.get(id);
    await this.withdraw(id);
    await plugin[Symbol.asyncDispose]();
    this.#entries.delete(id);
  }

  /** Moves or (with `force`) cuts the sessions on the plugin's transports. Throws `ERR_PLUGIN_IN_USE` where some stay. */
  async freeTransports(plugin: Plugin, force: boolean): Promise<void> {
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
