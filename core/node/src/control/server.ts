import { randomBytes } from 'node:crypto';
import { chmod, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { AwlError } from '@awl/wire';
import { storageError, writePrivate, type Files } from '../storage/files.ts';
import type { ControlServerOptions } from './options.ts';
import { serveClient, type ServedClient } from './served-client.ts';
import { controlPlace, privateDirectory } from './place.ts';
import { MAX_CLIENTS } from './limits.ts';

/** The control socket is the lock of an AWL_HOME: whoever listens there is its node. */
export interface ControlLock extends AsyncDisposable {
  /** Begins to serve; clients that came before are served then. */
  serve(options: ControlServerOptions): void;
}

/** Takes the control socket. Rejects with `ERR_NODE_RUNNING` or `ERR_STORAGE`. */
export async function takeControl(
  homeDirectory: string,
  files: Files,
): Promise<ControlLock & { readonly token: string }> {
  const place = controlPlace(homeDirectory);
  const server = createServer({ pauseOnConnect: true });
  server.maxConnections = MAX_CLIENTS;
  const token = randomBytes(32).toString('base64url');
  try {
    await privateDirectory(place.directory);
    if (await answers(place.socket)) {
      throw new AwlError('ERR_NODE_RUNNING', `Another node already runs with ${homeDirectory}.`);
    }
    // Nobody answers there: what is left is of a node that was killed.
    await unlink(place.socket).catch(() => undefined);
    // First the token: who finds the socket reads it next.
    await writePrivate(files, place.token, `${token}\n`);
    await listen(server, place.socket);
    if (process.platform !== 'win32') await chmod(place.socket, 0o600);
  } catch (error) {
    server.close();
    if (error instanceof AwlError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new AwlError('ERR_NODE_RUNNING', `Another node already runs with ${homeDirectory}.`);
    }
    throw storageError('write', place.directory, error);
  }
  return { token, ...lock(server, token) };
}

function lock(server: Server, token: string): ControlLock {
  const early = new Set<Socket>();
  const clients = new Set<ServedClient>();
  let options: ControlServerOptions | undefined;
  const admit = (socket: Socket): void => {
    if (!options) return void early.add(socket);
    const client = serveClient(socket, token, options);
    clients.add(client);
    void client.closed.then(() => clients.delete(client));
  };
  server.on('connection', admit);
  return {
    serve(given) {
      options = given;
      for (const socket of early) admit(socket);
      early.clear();
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of early) socket.destroy();
      for (const client of clients) client[Symbol.dispose]();
      await closed;
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      // Later errors (out of descriptors) must not end the node.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
