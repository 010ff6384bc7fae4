import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { AwlError } from '@awl/wire';

/** `sockaddr_un` holds 104 bytes on macOS, 108 on Linux. */
const MAX_SOCKET_PATH_BYTES = 100;

/** Where the control socket of a node is, and the token that opens it. */
export interface ControlPlace {
  readonly directory: string;
  readonly socket: string;
  readonly token: string;
}

export function controlPlace(homeDirectory: string): ControlPlace {
  const token = join(homeDirectory, 'control', 'token');
  const socket = join(homeDirectory, 'control', 'awl.sock');
  if (process.platform !== 'win32' && Buffer.byteLength(socket) <= MAX_SOCKET_PATH_BYTES) {
    return { directory: join(homeDirectory, 'control'), socket, token };
  }
  const short = createHash('sha256').update(homeDirectory).digest('hex').slice(0, 16);
  if (process.platform === 'win32') {
    return { directory: join(homeDirectory, 'control'), socket: `\\\\.\\pipe\\awl-${short}`, token };
  }
  const directory = join(tmpdir(), `awl-${userInfo().uid}-${short}`);
  return { directory, socket: join(directory, 'awl.sock'), token };
}

/** Makes a directory that only its owner enters, or checks that it is one. Rejects with `ERR_STORAGE`. */
export async function privateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { mode, uid } = await stat(path);
  if (process.platform === 'win32') return;
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
    throw new AwlError('ERR_STORAGE', `${path} is not private to this user.`, {
      remedy: `Remove it, or run \`chmod 700 ${path}\`.`,
    });
  }
}
