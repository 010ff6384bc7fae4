import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AwlError } from '@awl/wire';
import type { CommandModule } from '../spec.ts';

const LEFT_BEHIND = ['node_modules', 'dist'];

export const run: CommandModule['run'] = async ({ output }, [name = '']) => {
  const directory = resolve(name);
  const id = basename(directory);
  if (!/^[a-z][a-z0-9-]{0,60}$/.test(id)) {
    throw new AwlError('ERR_USAGE', `${id} cannot be the name of a plugin.`, {
      remedy: 'Use small letters, digits and hyphens, such as lucky-ports.',
    });
  }
  if (existsSync(directory)) throw new AwlError('ERR_USAGE', `${directory} is there already.`);
  const template = templateDirectory();
  await cp(template, directory, {
    recursive: true,
    filter: (path) =>
      !path
        .slice(template.length)
        .split(sep)
        .some((part) => LEFT_BEHIND.includes(part)),
  });
  const file = join(directory, 'package.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  const { private: _private, ...rest } = manifest;
  const named = { ...rest, name: `awl-plugin-${id}`, displayName: id.replaceAll('-', ' ') };
  await writeFile(file, `${JSON.stringify(named, null, 2)}\n`);
  output.object({ plugin: id, directory });
  output.line(`${directory} is ready: read its README.md, then \`awl plugin dev ${name}\`.`);
};

/** `plugin-template`, in the repository or beside the bundle. */
function templateDirectory(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const template = join(folder, 'plugin-template');
    if (existsSync(join(template, 'package.json'))) return template;
    if (dirname(folder) === folder) {
      throw new AwlError('ERR_STORAGE', 'The plugin template is not part of this installation.', {
        remedy: 'Run the command from a clone of the repository.',
      });
    }
  }
}
