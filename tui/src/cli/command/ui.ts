import { existsSync } from 'node:fs';
import { AwlError } from '@awl/wire';
import { homeOf } from '@awl/node/client';
import { canShowApp, runApp } from '../../app/index.ts';
import { runningNode } from '../node-access.ts';
import { startChildNode } from '../child-node.ts';
import type { CommandModule } from '../spec.ts';

/** `awl` alone: the terminal UI on the running node, or on one that is started for it. */
export const run: CommandModule['run'] = async (context, _args, options) => {
  if (!canShowApp(process.stdin, process.stdout, process.env)) {
    throw new AwlError('ERR_USAGE', 'The terminal UI needs a terminal.', {
      remedy: 'Use `awl status`, `awl peers` or another command; see `awl --help`.',
    });
  }
  const isFirstStart = !existsSync(homeOf(context.home).configFile);
  const running = await runningNode(context);
  const detach = options['detach'] === true;
  const child = running ? undefined : await startChildNode(context, detach);
  const client = running ?? child?.client;
  if (!client) return;
  try {
    await runApp({
      client,
      stdout: process.stdout,
      stdin: process.stdin,
      env: process.env,
      isFirstStart,
      signal: context.signal,
    });
  } finally {
    if (child && !detach) await child.stop();
    await client.close();
  }
};
