import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { AwlError } from '@awl/wire';
import { parseManifest, type Manifest } from '../manifest/manifest.ts';

const MANIFEST_BYTES = 256 * 1024;

/** A plugin's package on disk. */
export interface PluginPackage extends Manifest {
  readonly directory: string;
  /** The module with `activate`. */
  readonly entryFile: string;
}

function parse(file: string): unknown {
  let text: string;
  try {
    if (statSync(file).size > MANIFEST_BYTES) throw new Error(`it is larger than ${MANIFEST_BYTES} bytes`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new AwlError('ERR_PLUGIN_MANIFEST', `${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AwlError('ERR_PLUGIN_MANIFEST', `${file} is not JSON: ${(error as Error).message}`);
  }
}

/** What `exports` of a package.json leads to for `import`. */
function entryOf(exported: unknown): string | undefined {
  if (typeof exported === 'string') return exported;
  if (typeof exported !== 'object' || exported === null) return undefined;
  for (const key of ['.', 'import', 'node', 'default']) {
    const entry = entryOf((exported as { readonly [key: string]: unknown })[key]);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/** Reads the package in a directory. Throws `ERR_PLUGIN_MANIFEST` or `ERR_PLUGIN_ENGINE`. */
export function readPackage(directory: string): PluginPackage {
  const file = join(directory, 'package.json');
  const packageJson = parse(file);
  const manifest = parseManifest(packageJson, file);
  const { exports: exported, main } = packageJson as { readonly exports?: unknown; readonly main?: unknown };
  const entry = entryOf(exported ?? main);
  if (entry === undefined)
    throw new AwlError(
      'ERR_PLUGIN_MANIFEST',
      `${file}: /exports must name the module, such as "./dist/index.js"`,
    );
  if ((manifest.manifest.contributes.transports?.length ?? 0) > 0) {
    throw new AwlError(
      'ERR_PLUGIN_MANIFEST',
      `${file}: /contributes/transports: a transport runs in the node's own process, so only built-in plugins may have one`,
    );
  }
  const real = realpathSync(directory);
  let entryFile: string;
  try {
    entryFile = realpathSync(join(real, entry));
  } catch {
    throw new AwlError(
      'ERR_PLUGIN_MANIFEST',
      `${file}: /exports names ${entry}, which is not there; is the plugin built?`,
    );
  }
  if (!entryFile.startsWith(real + sep))
    throw new AwlError('ERR_PLUGIN_MANIFEST', `${file}: /exports leads out of the package`);
  return { ...manifest, directory: real, entryFile };
}
