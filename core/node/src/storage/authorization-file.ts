import type { JsonValue } from '@awl/api';
import type { AuthorizationStore } from '@awl/engine';
import { AwlError } from '@awl/wire';
import { readText, writePrivate, type Files } from './files.ts';

/** Who may connect, in one file. Its content is checked by its owner. */
export function authorizationFile(path: string, files: Files): AuthorizationStore {
  return {
    async load() {
      const text = await readText(path);
      if (text === undefined) return undefined;
      try {
        return JSON.parse(text) as JsonValue;
      } catch (cause) {
        throw new AwlError('ERR_STORAGE', `${path} is damaged: it is not JSON.`, { cause });
      }
    },
    save: (value) => writePrivate(files, path, JSON.stringify(value)),
  };
}
