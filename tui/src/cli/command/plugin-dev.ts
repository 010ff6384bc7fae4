import { watch } from 'node:fs';
import { resolve } from 'node:path';
import { toAwlError } from '@awl/wire';
import { ownNode } from '../node-access.ts';
import { safe } from '../output.ts';
import { untilStopped } from '../signals.ts';
import type { CommandModule } from '../spec.ts';

/** Editors write a file in several steps. */
const QUIET_MS = 200;

export const run: CommandModule['run'] = async (context, [named = '']) => {
  const { output, signal } = context;
  const directory = resolve(named);
  await using node = await ownNode(context);
  using _log = node.client.subscribe(({ changes }) => {
    for (const change of changes) {
      if (!('log' in change)) continue;
      for (const { level, source, text } of change.log) {
        output.event('log', { level, source, text });
        output.line(safe(`${level.padEnd(5)} ${source}  ${text}`));
      }
    }
  });
  const load = async (): Promise<void> => {
    try {
      const plugin = await node.plugins.develop(directory);
      output.event('plugin.loaded', { plugin });
      output.line(`${output.paint('ok', '✔')} ${safe(plugin)} is loaded`);
    } catch (error) {
      const { code, message } = toAwlError(error);
      output.event('plugin.failed', { code, message });
      output.line(`${output.paint('bad', '✘')} ${safe(message)} (${code})`);
    }
  };
  await load();
  let loading = Promise.resolve();
  let quiet: NodeJS.Timeout | undefined;
  const watcher = watch(directory, { recursive: true }, (_event, file) => {
    if (file?.split('/').includes('node_modules')) return;
    clearTimeout(quiet);
    quiet = setTimeout(() => (loading = loading.then(load)), QUIET_MS);
  });
  await Promise.race([untilStopped(signal), node.stopRequested]);
  watcher.close();
  clearTimeout(quiet);
  await loading;
};
