import type { JsonValue, Storage } from '@awl/api';
import { AwlError } from '@awl/wire';
import type { StoragePort } from './ports.ts';

const SIZE_BYTES = 1024 * 1024;
const KEY_LENGTH = 256;

/** A plugin's small values: one document, at most 1 MiB. */
export class PluginStorage implements Storage {
  readonly #port: StoragePort;
  readonly #name: string;
  #document: Promise<Map<string, JsonValue>> | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(port: StoragePort, plugin: string) {
    this.#port = port;
    this.#name = `plugin-storage/${plugin}`;
  }

  async get(key: string): Promise<JsonValue | undefined> {
    return (await this.#load()).get(key);
  }

  async set(key: string, value: JsonValue): Promise<void> {
    if (typeof key !== 'string' || key.length === 0 || key.length > KEY_LENGTH) {
      throw new AwlError('ERR_STORAGE', `a key has 1 to ${KEY_LENGTH} characters`);
    }
    const document = await this.#load();
    const previous = document.get(key);
    document.set(key, value);
    if (Buffer.byteLength(JSON.stringify(Object.fromEntries(document))) > SIZE_BYTES) {
      if (previous === undefined) document.delete(key);
      else document.set(key, previous);
      throw new AwlError('ERR_STORAGE', `a plugin may store ${SIZE_BYTES} bytes; ${key} would exceed that`);
    }
    await this.#save(document);
  }

  async delete(key: string): Promise<void> {
    const document = await this.#load();
    if (document.delete(key)) await this.#save(document);
  }

  #load(): Promise<Map<string, JsonValue>> {
    this.#document ??= this.#port
      .load(this.#name)
      .then((value) =>
        value !== null && typeof value === 'object' && !Array.isArray(value)
          ? new Map(Object.entries(value as { readonly [key: string]: JsonValue }))
          : new Map<string, JsonValue>(),
      );
    return this.#document;
  }

  /** One after the other, each with what is there when its turn comes. */
  #save(document: Map<string, JsonValue>): Promise<void> {
    this.#saving = this.#saving
      .catch(() => undefined)
      .then(() => this.#port.save(this.#name, Object.fromEntries(document)));
    return this.#saving;
  }
}
