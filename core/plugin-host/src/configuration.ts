import type { Configuration, JsonValue } from '@awl/api';
import type { SettingsSchema } from './manifest/settings.ts';
import type { SettingsPort } from './ports.ts';

/** A plugin's settings: what the user set where it is valid, else the default. */
export class PluginConfiguration implements Configuration, Disposable {
  readonly #settings: SettingsSchema;
  readonly #port: SettingsPort;
  readonly #listeners = new Set<(key: string, value: JsonValue | undefined) => void>();
  readonly #subscription: Disposable;

  constructor(
    settings: SettingsSchema,
    port: SettingsPort,
    changed: () => void,
    failed: (error: unknown) => void,
  ) {
    this.#settings = settings;
    this.#port = port;
    this.#subscription = port.onDidChange((key) => {
      if (!settings.has(key)) return;
      changed();
      for (const listener of this.#listeners) {
        try {
          listener(key, this.get(key));
        } catch (error) {
          failed(error);
        }
      }
    });
  }

  get(key: string): JsonValue | undefined {
    if (!this.#settings.has(key)) return undefined;
    const value = this.#port.get(key);
    return value !== undefined && this.#settings.fault(key, value) === undefined
      ? value
      : this.#settings.defaults[key];
  }

  /** Every setting with its value now. */
  values(): { readonly [key: string]: JsonValue } {
    const values: { [key: string]: JsonValue } = {};
    for (const key of this.#settings.keys) {
      const value = this.get(key);
      if (value !== undefined) values[key] = value;
    }
    return values;
  }

  onDidChange(listener: (key: string, value: JsonValue | undefined) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Forgets the listeners of code that was deactivated. */
  clearListeners(): void {
    this.#listeners.clear();
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
    this.#listeners.clear();
  }
}
