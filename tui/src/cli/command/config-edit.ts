import { spawn } from 'node:child_process';
import { AwlError } from '@awl/wire';
import { configOnDisk } from '../config-access.ts';
import { runningNode } from '../node-access.ts';
import type { CommandModule } from '../spec.ts';

export const run: CommandModule['run'] = async (context) => {
  const { output } = context;
  const { HomeConfig, diskFiles, openHome } = await import('@awl/node');
  const file = new HomeConfig(await openHome(context.home), diskFiles);
  await file.update((config) => config);
  await edit(file.path);
  // Read as a node would, so that a mistake is told now and not at the next start.
  await configOnDisk(context);
  output.object({ path: file.path });
  const node = await runningNode(context);
  await node?.close();
  output.line(
    node ? `${file.path} is fine; it takes effect when the node restarts.` : `${file.path} is fine.`,
  );
};

/** EDITOR may have arguments: it is run by the shell, as git does, with the file as its parameter. */
function edit(path: string): Promise<void> {
  const editor = process.env['VISUAL'] || process.env['EDITOR'] || 'vi';
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', path], { stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0
        ? resolve()
        : reject(
            new AwlError('ERR_USAGE', `${editor} ended with ${code}.`, {
              remedy: 'Set EDITOR to an editor.',
            }),
          ),
    );
  });
}
