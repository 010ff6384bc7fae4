import { mkdir, readdir, stat, chmod } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { AwlError } from '@awl/wire';
import { storageError } from './storage/files.ts';

/** Where the files of one node are. Several nodes on one machine have a directory each. */
export interface Home {
  readonly directory: string;
  readonly keyFile: string;
  /** The configuration that awl itself writes. */
  readonly configFile: string;
  readonly peersFile: string;
  readonly rendezvousFile: string;
  readonly pluginsDirectory: string;
  readonly logFile: string;
}

/** AWL_HOME, or the system's place for a program's configuration. */
export function homeDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env['AWL_HOME'] || envPaths('awl', { suffix: '' }).config);
}

export function homeOf(directory: string): Home {
  return {
    directory,
    keyFile: join(directory, 'key.pem'),
    configFile: join(directory, 'awl.config.json'),
    peersFile: join(directory, 'peers.json'),
    rendezvousFile: join(directory, 'rendezvous.json'),
    pluginsDirectory: join(directory, 'plugins'),
    logFile: join(directory, 'awl.log'),
  };
}

/**
 * Makes the directory (0700) where it is missing; an empty one is taken over. One that other users may write to is refused: they could put
 * a configuration with code there. Rejects with `ERR_STORAGE`.
 */
export async function openHome(directory: string): Promise<Home> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const { mode, uid } = await stat(directory);
    if (process.getuid && uid !== process.getuid()) {
      throw new AwlError('ERR_STORAGE', `${directory} belongs to another user.`);
    }
    if ((mode & 0o077) !== 0 && (await readdir(directory)).length === 0) await chmod(directory, 0o700);
    else if ((mode & 0o022) !== 0) {
      throw new AwlError('ERR_STORAGE', `Other users can write to ${directory}.`, {
        remedy: `Run \`chmod 700 ${directory}\`, or set another AWL_HOME.`,
      });
    }
  } catch (error) {
    throw error instanceof AwlError ? error : storageError('write', directory, error);
  }
  return homeOf(directory);
}
