import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { AwlError } from '@awl/wire';
import { npm } from './npm.ts';
import { readPackage, type PluginPackage } from './package.ts';

/** An npm package, perhaps with a version, tag or range; nothing that npm would take for an option, URL or path. */
const NPM_NAME = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*(@[a-zA-Z0-9.^~<>=*+-]+)?$/;

/** A package in a prefix of its own, not yet in its place. */
export interface StagedPlugin {
  readonly package: PluginPackage;
  readonly from: string;
  readonly integrity: string | undefined;
  readonly prefix: string;
}

/** What npm is to install, and the file it comes from where it is one. */
function source(from: string): { readonly spec: string; readonly file?: string } {
  const path = resolve(from);
  if (/\.(tgz|tar\.gz)$/.test(from)) {
    if (!existsSync(path)) throw new AwlError('ERR_PLUGIN_INSTALL', `there is no file ${path}`);
    return { spec: path, file: path };
  }
  const looksLikePath = from.startsWith('.') || from.startsWith('/') || from.startsWith('~');
  if (
    existsSync(path) &&
    statSync(path).isDirectory() &&
    (looksLikePath || existsSync(join(path, 'package.json')))
  )
    return { spec: path };
  if (looksLikePath) throw new AwlError('ERR_PLUGIN_INSTALL', `there is no directory ${path}`);
  if (!NPM_NAME.test(from)) {
    throw new AwlError(
      'ERR_PLUGIN_INSTALL',
      `${from} is neither a directory, nor a .tgz file, nor the name of an npm package`,
    );
  }
  return { spec: from };
}

/** The one package that was asked for. */
function installedName(prefix: string): string {
  const { dependencies } = JSON.parse(readFileSync(join(prefix, 'package.json'), 'utf8')) as {
    readonly dependencies?: object;
  };
  const [name] = Object.keys(dependencies ?? {});
  if (name === undefined) throw new AwlError('ERR_PLUGIN_INSTALL', 'npm installed nothing');
  return name;
}

function integrityOf(prefix: string, name: string, file: string | undefined): string | undefined {
  if (file !== undefined) return `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  const lock = JSON.parse(readFileSync(join(prefix, 'package-lock.json'), 'utf8')) as {
    readonly packages?: { readonly [path: string]: { readonly integrity?: string } };
  };
  return lock.packages?.[`node_modules/${name}`]?.integrity;
}

/** Puts plugins into private prefixes, one for each, and takes them out again. No script of a package is run. */
export class Installer {
  readonly #directory: string;

  /** @param directory holds nothing but installed plugins */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Fetches a package and its dependencies, and reads its manifest; nothing of it runs. Rejects with `ERR_PLUGIN_INSTALL`, `ERR_PLUGIN_MANIFEST`, … */
  async stage(from: string): Promise<StagedPlugin> {
    const { spec, file } = source(from);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const prefix = mkdtempSync(join(this.#directory, '.staged-'));
    try {
      writeFileSync(join(prefix, 'package.json'), '{"private":true}\n');
      const options = [
        '--ignore-scripts',
        '--save-exact',
        '--install-links',
        '--omit=dev',
        '--omit=peer',
        '--no-audit',
        '--no-fund',
        '--no-workspaces',
      ];
      await npm(['install', ...options, '--prefix', prefix, '--', spec], prefix);
      const name = installedName(prefix);
      const found = readPackage(join(prefix, 'node_modules', name));
      return { package: found, from, integrity: integrityOf(prefix, name, file), prefix };
    } catch (error) {
      rmSync(prefix, { recursive: true, force: true });
      throw error;
    }
  }

  discard(staged: StagedPlugin): void {
    rmSync(staged.prefix, { recursive: true, force: true });
  }

  /** Puts it in its place, and returns the package's directory there. */
  place(staged: StagedPlugin): string {
    const prefix = this.#prefixOf(staged.package.id);
    rmSync(prefix, { recursive: true, force: true });
    renameSync(staged.prefix, prefix);
    return join(prefix, 'node_modules', staged.package.manifest.name);
  }

  remove(id: string): void {
    rmSync(this.#prefixOf(id), { recursive: true, force: true });
  }

  #prefixOf(id: string): string {
    return join(this.#directory, id.replaceAll('/', '+'));
  }
}
