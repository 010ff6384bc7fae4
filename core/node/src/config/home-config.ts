import type { JsonValue } from '@awl/api';
import { AwlError } from '@awl/wire';
import type { Home } from '../home.ts';
import { readText, writePrivate, type Files } from '../storage/files.ts';
import { checkConfig } from './check.ts';
import { withValue } from './keys.ts';
import type { NodeConfig } from './schema.ts';

/** The configuration file that awl writes: AWL_HOME's `awl.config.json`. */
export class HomeConfig {
  readonly path: string;
  readonly #files: Files;
  #last: Promise<unknown> = Promise.resolve();

  constructor(home: Home, files: Files) {
    this.path = home.configFile;
    this.#files = files;
  }

  async read(): Promise<NodeConfig> {
    const text = await readText(this.path);
    if (text === undefined) return {};
    try {
      return checkConfig(JSON.parse(text), this.path);
    } catch (error) {
      if (error instanceof AwlError) throw error;
      throw new AwlError('ERR_CONFIG_INVALID', `${this.path}: it is not JSON.`, { cause: error });
    }
  }

  set(key: string, value: JsonValue): Promise<NodeConfig> {
    return this.update((config) => withValue(config, key, value));
  }

  /** Changes the file; changes follow one another. */
  update(change: (config: NodeConfig) => NodeConfig): Promise<NodeConfig> {
    const next = this.#last.then(async () => {
      const config = change(await this.read());
      await writePrivate(this.#files, this.path, `${JSON.stringify(config, null, 2)}\n`);
      return config;
    });
    this.#last = next.catch(() => undefined);
    return next;
  }
}
