import { cpSync, existsSync, globSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AwlError } from '@awl/wire';

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** npm leaves files of these names out of a package, so the template has them without the dot. */
const DOTTED = ['gitignore', 'oxlintrc.json'];

/** The packed template: beside the bundle, or where the build puts it when running from source. */
function templateDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = [join(here, 'plugin-template'), join(here, '../../../tui/dist/plugin-template')];
  const found = candidates.find((candidate) => existsSync(join(candidate, 'package.json')));
  if (found === undefined)
    throw new AwlError('ERR_PLUGIN_INSTALL', 'the plugin template is not there: run `npm run build` first');
  return found;
}

/**
 * Makes a new plugin from the template: it installs, tests and builds as it is.
 * @param directory must not exist, or be empty
 * @param name such as `lucky-ports`; the package will be `awl-plugin-lucky-ports`
 * @param template the packed template
 */
export function createPlugin(directory: string, name: string, template = templateDirectory()): void {
  const short = name.replace(/^awl-plugin-/, '');
  if (!NAME.test(short)) {
    throw new AwlError(
      'ERR_PLUGIN_INSTALL',
      `${name} cannot be a plugin's name: small letters, digits and single hyphens, such as lucky-ports`,
    );
  }
  if (existsSync(directory) && readdirSync(directory).length > 0)
    throw new AwlError('ERR_PLUGIN_INSTALL', `${directory} is not empty`);
  cpSync(template, directory, { recursive: true });
  for (const file of DOTTED)
    if (existsSync(join(directory, file))) renameSync(join(directory, file), join(directory, `.${file}`));
  const title = `${short[0]?.toUpperCase()}${short.slice(1).replaceAll('-', ' ')}`;
  const camel = short.replace(/-([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
  for (const file of globSync(['package.json', 'README.md', '{src,test}/*.ts'], { cwd: directory })) {
    const text = readFileSync(join(directory, file), 'utf8')
      .replaceAll('awl-plugin-template', `awl-plugin-${short}`)
      .replaceAll('explain template', `explain ${short}`)
      .replaceAll('steady-punch', short)
      .replaceAll('Steady punch', title)
      .replaceAll('steadyPunch', camel);
    const renamed = join(directory, file.replace('steady-punch', short));
    renameSync(join(directory, file), renamed);
    writeFileSync(renamed, text);
  }
}
