import { chdir, cwd } from 'node:process';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { statSync } from 'node:fs';
import { AwlError } from '@awl/wire';
import { cosmiconfig, type Loader, type PublicExplorer } from 'cosmiconfig';
import type { Home } from '../home.ts';
import { checkConfig } from './check.ts';
import { TRUSTED_KEYS, type NodeConfig } from './schema.ts';

const DATA_PLACES = [
  'awl.config.json',
  'awl.config.yaml',
  'awl.config.yml',
  '.awlrc',
  '.awlrc.json',
  '.awlrc.yaml',
  '.awlrc.yml',
  'package.json',
];
const CODE_PLACES = ['awl.config.ts', 'awl.config.js', 'awl.config.mjs'];
const CODE_EXTENSIONS = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'];

export interface ConfigSources {
  readonly home: Home;
  /** A file named with --config: trusted like AWL_HOME. */
  readonly configFile?: string;
  /** Where awl was started; its configuration may be data only. */
  readonly workingDirectory?: string;
}

/** The configuration: AWL_HOME's own file over others there, the working directory's over that, --config over all. */
export async function loadConfig(sources: ConfigSources): Promise<NodeConfig> {
  const { home } = sources;
  const code = explorer(
    home,
    [...CODE_PLACES, ...DATA_PLACES.filter((place) => place !== 'awl.config.json')],
    importCode,
  );
  const layers: NodeConfig[] = [];
  const add = async (
    result: Promise<{ config: unknown; filepath: string } | null>,
  ): Promise<string | undefined> => {
    const found = await readable(result);
    if (!found) return undefined;
    layers.push(checkConfig(found.config, found.filepath));
    return found.filepath;
  };
  await add(code.search(home.directory));
  await add(explorer(home, ['awl.config.json'], importCode).search(home.directory));

  const directory = sources.workingDirectory;
  if (directory !== undefined && resolve(directory) !== home.directory) {
    const path = await add(explorer(home, [...CODE_PLACES, ...DATA_PLACES], refuseCode).search(directory));
    const unsafe = path && TRUSTED_KEYS.find((key) => layers.at(-1)?.[key] !== undefined);
    if (unsafe) {
      throw new AwlError('ERR_CONFIG_UNSAFE', `${path} sets "${unsafe}", which only AWL_HOME may do.`);
    }
  }
  if (sources.configFile !== undefined) {
    const path = resolve(sources.configFile);
    if (!statSync(path, { throwIfNoEntry: false })) {
      throw new AwlError('ERR_CONFIG_INVALID', `${path} does not exist.`, { remedy: 'Correct --config.' });
    }
    await add(code.load(path));
  }
  return layers.reduce(mergeConfig, {});
}

/** The values of `over` win; objects are merged, lists replaced. */
export function mergeConfig(base: NodeConfig, over: NodeConfig): NodeConfig {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const old = merged[key];
    merged[key] = isObject(old) && isObject(value) ? mergeConfig(old, value as NodeConfig) : value;
  }
  return merged;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * cosmiconfig runs `.config/config.js` of the process's working directory when an explorer is made (its "meta" configuration). That must be
 * no stranger's directory, so AWL_HOME is the working directory for that moment.
 */
function explorer(home: Home, searchPlaces: string[], loadCode: Loader): PublicExplorer {
  const before = cwd();
  chdir(home.directory);
  try {
    return cosmiconfig('awl', {
      searchPlaces,
      searchStrategy: 'none',
      cache: false,
      loaders: Object.fromEntries(CODE_EXTENSIONS.map((extension) => [extension, loadCode])),
    });
  } finally {
    chdir(before);
  }
}

const importCode: Loader = async (path) => {
  const { default: config } = (await import(pathToFileURL(path).href)) as { default?: unknown };
  return config;
};

const refuseCode: Loader = (path) => {
  throw new AwlError(
    'ERR_CONFIG_UNSAFE',
    `${path} is code, and ${dirname(path)} is only the working directory.`,
  );
};

async function readable<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (cause) {
    if (cause instanceof AwlError) throw cause;
    throw new AwlError('ERR_CONFIG_INVALID', cause instanceof Error ? cause.message : String(cause), {
      cause,
    });
  }
}
