import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a plugin process is started with. */
export interface ProcessEntry {
  readonly file: string;
  /** What the entry itself needs to read. */
  readonly readable: readonly string[];
  readonly nodeOptions: readonly string[];
}

/** Stands beside the bundle's other entries, or one directory above its chunks. */
const BUNDLED = 'plugin-process.js';

/**
 * Where the code of a plugin process is: `plugin-process.ts` when running from source, otherwise what the bundler made of it,
 * `plugin-process.js` beside the bundle.
 */
export function processEntry(): ProcessEntry {
  const here = fileURLToPath(import.meta.url);
  if (here.endsWith('.ts')) {
    const root = join(dirname(here), '../../../..');
    return {
      file: join(dirname(here), '../plugin-process.ts'),
      readable: [join(root, 'core'), join(root, 'node_modules'), join(root, 'package.json')],
      nodeOptions: ['--conditions=source'],
    };
  }
  const candidates = [join(dirname(here), BUNDLED), join(dirname(here), '..', BUNDLED)];
  const file = candidates.find((candidate) => existsSync(candidate)) ?? BUNDLED;
  return { file, readable: [dirname(file)], nodeOptions: [] };
}

/** Whether this Node denies a plugin process the network unless it asks for it (24 does not). */
export const DENIES_NETWORK = process.allowedNodeEnvironmentFlags.has('--allow-net');
