import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** The absolute path, where the text names something on this disk. */
export function existingPath(text: string): string | undefined {
  const looksLikePath = /[\\/]|\.tgz$/.test(text) || text === '.';
  return looksLikePath && existsSync(text) ? resolve(text) : undefined;
}
