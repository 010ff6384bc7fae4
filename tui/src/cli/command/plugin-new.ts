import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { AwlError } from '@awl/wire';
import type { Output } from '../output.ts';
import type { CommandModule } from '../spec.ts';

export const run: CommandModule['run'] = async ({ output, signal }, [named = '']) => {
  const directory = resolve(named);
  const { createPlugin } = await import('@awl/node');
  await packTemplate(output, signal);
  createPlugin(directory, basename(directory));
  output.object({ directory });
  output.line(`${directory} is ready: read its README.md, then \`awl plugin dev ${named}\`.`);
};

/** In a clone of the repository the template is packed from its sources, when they changed; an installed awl has it packed already. */
async function packTemplate(output: Output, signal: AbortSignal): Promise<void> {
  const bin = dirname(realpathSync(process.argv[1] ?? ''));
  const script = join(bin, '..', '..', 'scripts', 'pack-api.ts');
  if (!existsSync(script)) return;
  const step = await output.step('Packing the template');
  try {
    await promisify(execFile)(process.execPath, [script], { signal });
  } catch (cause) {
    step.failed('The template could not be packed');
    throw new AwlError(
      'ERR_PLUGIN_INSTALL',
      `The template could not be packed: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
  step.done('The template is packed');
}
