import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwlError } from '@awl/wire';
import type { NodeClient } from '@awl/node/client';
import { runningNode } from './node-access.ts';
import type { CommandContext } from './spec.ts';

/** A node that the UI started. */
export interface ChildNode {
  readonly client: NodeClient;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 15_000;
const LOOK_EVERY_MS = 30;

/**
 * Starts `awl up` in a process of its own and connects to it. Unless detached it ends with this process, even when that is killed: a channel
 * between the two closes then.
 */
export async function startChildNode(context: CommandContext, detached: boolean): Promise<ChildNode> {
  const { openHome } = await import('@awl/node');
  const { directory } = await openHome(context.home);
  const errorFile = join(directory, 'up.log');
  const errors = openSync(errorFile, 'w', 0o600);
  const args = [process.argv[1] ?? '', 'up', ...(context.configFile ? ['--config', context.configFile] : [])];
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: detached ? ['ignore', 'ignore', errors] : ['ignore', 'ignore', errors, 'ipc'],
    env: { ...process.env, AWL_HOME: context.home },
  });
  closeSync(errors);
  const exited = once(child, 'exit');
  const client = await untilUp(context, () => child.exitCode !== null || child.signalCode !== null);
  if (!client) {
    child.kill();
    const said = readFileSync(errorFile, 'utf8').trim();
    throw new AwlError('ERR_NODE_NOT_RUNNING', said || 'The node did not start.', {
      remedy: 'Run `awl up` to see why.',
    });
  }
  child.unref();
  child.channel?.unref();
  return {
    client,
    async stop() {
      await client.command('node.stop', {}).catch(() => child.kill());
      await exited;
    },
  };
}

async function untilUp(context: CommandContext, hasEnded: () => boolean): Promise<NodeClient | undefined> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!hasEnded() && performance.now() < deadline && !context.signal.aborted) {
    const client = await runningNode(context);
    if (client) return client;
    await sleep(LOOK_EVERY_MS);
  }
  return undefined;
}
