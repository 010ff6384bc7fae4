import { readFile } from 'node:fs/promises';
import { AwlError } from '@awl/wire';
import writeFileAtomic from 'write-file-atomic';

/** Files of a node hold secrets: only their owner reads them. */
export const PRIVATE_FILE_MODE = 0o600;
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** How a node writes its files. A port, so that a full disk can be tried. */
export interface Files {
  /** Writes all or nothing, mode 0600. Rejects with an errno error. */
  write(path: string, content: string): Promise<void>;
}

export const diskFiles: Files = {
  write: (path, content) => writeFileAtomic(path, content, { mode: PRIVATE_FILE_MODE }),
};

/** What went wrong with a file, in words. */
export function storageError(action: 'read' | 'write', path: string, cause: unknown): AwlError {
  const code = (cause as NodeJS.ErrnoException).code;
  const why =
    code === 'ENOSPC'
      ? 'the disk is full'
      : code === 'EACCES' || code === 'EPERM'
        ? 'permission denied'
        : cause instanceof Error
          ? cause.message
          : String(cause);
  return new AwlError('ERR_STORAGE', `Cannot ${action} ${path}: ${why}.`, { cause });
}

/** Writes a file of the node; rejects with `ERR_STORAGE`. */
export async function writePrivate(files: Files, path: string, content: string): Promise<void> {
  try {
    await files.write(path, content);
  } catch (cause) {
    throw storageError('write', path, cause);
  }
}

/** The text of a file; undefined where there is none. Rejects with `ERR_STORAGE`, also for a file of more than 4 MiB. */
export async function readText(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw storageError('read', path, cause);
  }
  if (text.length > MAX_FILE_BYTES) throw new AwlError('ERR_STORAGE', `${path} is too large.`);
  return text;
}
