import { connectNode, type NodeClient } from '@awl/node/client';
import type { NodeConfig, NodeHandle } from '@awl/node';
import { AwlError } from '@awl/wire';
import type { CommandContext } from './spec.ts';
import { VERSION } from './version.ts';

/** A node that a command works with: the running one of its AWL_HOME, or one of its own that ends with it. */
export interface NodeInUse extends AsyncDisposable {
  readonly client: NodeClient;
  /** Undefined: the node runs elsewhere. */
  readonly own?: NodeHandle;
}

/** The running node of this AWL_HOME, or undefined. */
export async function runningNode(context: CommandContext): Promise<NodeClient | undefined> {
  try {
    return await connectNode(context.home);
  } catch (error) {
    if (error instanceof AwlError && error.code === 'ERR_NODE_NOT_RUNNING') return undefined;
    throw error;
  }
}

export interface OwnNodeOptions {
  /** Wins over the configuration. */
  readonly overrides?: NodeConfig;
  readonly offline?: boolean;
}

/**
 * The running node, or a new one that lives as long as the command.
 * @param fallbackUrl the rendezvous of a node of our own, where the command line names none
 */
export async function useNode(
  context: CommandContext,
  options: OwnNodeOptions = {},
  fallbackUrl?: string,
): Promise<NodeInUse> {
  const client = await runningNode(context);
  if (client) {
    await followRendezvous(client, options.overrides?.rendezvous?.url);
    return { client, [Symbol.asyncDispose]: () => client.close() };
  }
  const { overrides = {} } = options;
  const url = overrides.rendezvous?.url ?? fallbackUrl;
  const own = await ownNode(context, {
    ...options,
    overrides: url === undefined ? overrides : { ...overrides, rendezvous: { ...overrides.rendezvous, url } },
  });
  return { client: own.client, own, [Symbol.asyncDispose]: () => own.close() };
}

export async function ownNode(context: CommandContext, options: OwnNodeOptions = {}): Promise<NodeHandle> {
  const { startNode } = await import('@awl/node');
  return startNode({
    version: VERSION,
    home: context.home,
    workingDirectory: process.cwd(),
    ...(context.configFile === undefined ? {} : { configFile: context.configFile }),
    ...options,
  });
}

/** The running node takes the rendezvous that the user names where it has none; it does not change to another for one command. */
async function followRendezvous(client: NodeClient, url: string | undefined): Promise<void> {
  if (url === undefined) return;
  const { state } = await client.snapshot();
  if (state.rendezvous.status === 'none') await client.command('rendezvous.set', { url });
  else if (!sameRendezvous(state.rendezvous.url, url)) {
    await client.close();
    throw new AwlError('ERR_USAGE', `The running node uses the rendezvous ${state.rendezvous.url}.`, {
      remedy: `Leave --rendezvous out, or change it: \`awl config set rendezvous.url ${url}\`.`,
    });
  }
}

function sameRendezvous(a: string, b: string): boolean {
  const host = (url: string): string => url.replace(/#.*$/, '').replace(/\/$/, '');
  return host(a) === host(b);
}

/** The state of the running node; rejects with `ERR_NODE_NOT_RUNNING`. */
export async function requireNode(context: CommandContext): Promise<NodeClient> {
  return connectNode(context.home);
}
