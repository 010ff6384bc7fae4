import { hostname } from 'node:os';
import { generatePassword, realRandom, type Identity } from '@awl/engine';
import type { HomeConfig } from './config/home-config.ts';
import { loadConfig, mergeConfig } from './config/load.ts';
import type { NodeConfig } from './config/schema.ts';
import type { Home } from './home.ts';
import type { NodeOptions } from './node-options.ts';

/** The configuration that a node starts with: it always has a name and a password. */
export type StartConfig = NodeConfig & { readonly name: string; readonly password: string };

/** Reads the configuration; at the first start the password is made and stored. */
export async function startConfig(
  options: NodeOptions,
  home: Home,
  homeConfig: HomeConfig,
  identity: Identity,
): Promise<StartConfig> {
  const { configFile, workingDirectory, overrides = {} } = options;
  const loaded = await loadConfig({
    home,
    ...(configFile === undefined ? {} : { configFile }),
    ...(workingDirectory === undefined ? {} : { workingDirectory }),
  });
  const config = mergeConfig(loaded, overrides);
  const { name = defaultName(identity), password = generatePassword(realRandom) } = config;
  if (config.password === undefined) await homeConfig.set('password', password);
  return { ...config, name, password };
}

/** The machine's name, as far as a peer's name may look like it, and a piece of the key's id: several nodes of one machine differ. */
export function defaultName({ peerId }: Identity): string {
  const machine = hostname()
    .split('.')[0]
    ?.replaceAll(/[^A-Za-z0-9_-]/g, '-')
    .slice(0, 58);
  return `${machine || 'node'}-${peerId.slice(0, 4)}`;
}
