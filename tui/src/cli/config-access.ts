import type { JsonValue } from '@awl/api';
import type { NodeConfig } from '@awl/node';
import { runningNode } from './node-access.ts';
import type { CommandContext } from './spec.ts';

/** A value of the configuration, of the running node where there is one. Without a key: everything. */
export async function readConfig(context: CommandContext, key?: string): Promise<JsonValue> {
  await using client = await closing(context);
  if (client.node) return await client.node.command('config.get', key === undefined ? {} : { key });
  const { valueAt } = await import('@awl/node');
  return valueAt(await configOnDisk(context), key) ?? null;
}

/** Changes a value; a running node follows at once. */
export async function writeConfig(context: CommandContext, key: string, text: string): Promise<JsonValue> {
  const { HomeConfig, diskFiles, openHome, parseTyped } = await import('@awl/node');
  await using client = await closing(context);
  if (client.node) {
    const all = (await client.node.command('config.get', {})) as NodeConfig;
    const value = parseTyped(all, key, text);
    await client.node.command('config.set', { key, value });
    return value;
  }
  const home = await openHome(context.home);
  const file = new HomeConfig(home, diskFiles);
  const value = parseTyped(await file.read(), key, text);
  await file.set(key, value);
  return value;
}

/** The configuration as a node would start with. */
export async function configOnDisk(context: CommandContext): Promise<NodeConfig> {
  const { loadConfig, openHome } = await import('@awl/node');
  return loadConfig({
    home: await openHome(context.home),
    workingDirectory: process.cwd(),
    ...(context.configFile === undefined ? {} : { configFile: context.configFile }),
  });
}

async function closing(
  context: CommandContext,
): Promise<AsyncDisposable & { readonly node: Awaited<ReturnType<typeof runningNode>> }> {
  const node = await runningNode(context);
  return { node, [Symbol.asyncDispose]: async () => node?.close() };
}
