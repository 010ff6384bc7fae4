import { stat } from 'node:fs/promises';
import { createIdentity, decodeIdentity, encodeIdentity, type Identity } from '@awl/engine';
import { AwlError } from '@awl/wire';
import { readText, writePrivate, type Files } from './storage/files.ts';

/** The identity in the key file, made at the first start. Rejects with `ERR_KEY_FILE` or `ERR_STORAGE`. */
export async function loadIdentity(path: string, files: Files): Promise<Identity> {
  const text = await readText(path);
  if (text === undefined) {
    const identity = createIdentity();
    await writePrivate(files, path, encodeIdentity(identity));
    return identity;
  }
  const { mode, uid } = await stat(path);
  if (process.platform !== 'win32') {
    if ((mode & 0o077) !== 0) throw new AwlError('ERR_KEY_FILE', `${path} is readable by other users.`);
    if (uid !== process.getuid?.()) throw new AwlError('ERR_KEY_FILE', `${path} belongs to another user.`);
  }
  try {
    return decodeIdentity(text);
  } catch (error) {
    if (!(error instanceof AwlError)) throw error;
    throw new AwlError('ERR_KEY_FILE', `${path}: ${error.message}`, { cause: error });
  }
}
