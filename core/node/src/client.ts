import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import type { CommandName, Commands, EngineClient, Patch } from '@awl/api';
import { AwlError } from '@awl/wire';
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  CancellationTokenSource,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import { MAX_SERVER_MESSAGE_BYTES } from './control/limits.ts';
import { controlPlace } from './control/place.ts';
import { Command, EventSeen, fromResponseError, Hello, PatchMade, TakeSnapshot } from './control/rpc.ts';
import { SizeCheck } from './control/size-check.ts';
import type { NodeEvent } from './events.ts';
import { homeDirectory } from './home.ts';

export type { NodeEvent } from './events.ts';
export { homeDirectory, homeOf } from './home.ts';

/** A node as commands and UIs use it: in this process, or at the other end of its control socket. */
export interface NodeClient extends EngineClient, AsyncDisposable {
  onEvent(listener: (event: NodeEvent) => void): Disposable;
  /** Ends the connection, not the node. */
  close(): Promise<void>;
}

/** The running node of an AWL_HOME. Rejects with `ERR_NODE_NOT_RUNNING` or `ERR_CONTROL_REFUSED`. */
export async function connectNode(home: string = homeDirectory()): Promise<NodeClient> {
  const place = controlPlace(home);
  const socket = await dial(place.socket);
  let token: string;
  try {
    token = (await readFile(place.token, 'utf8')).trim();
  } catch (cause) {
    socket.destroy();
    throw new AwlError('ERR_CONTROL_REFUSED', `Cannot read ${place.token}.`, { cause });
  }
  const checked = socket.pipe(new SizeCheck(MAX_SERVER_MESSAGE_BYTES));
  const rpc = createMessageConnection(new StreamMessageReader(checked), new StreamMessageWriter(socket));
  const client = new SocketClient(socket, rpc);
  checked.on('error', () => socket.destroy());
  await client.open(token);
  return client;
}

function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.off('error', onError);
      resolve(socket);
    });
    const onError = (cause: NodeJS.ErrnoException): void => {
      const code = cause.code === 'EACCES' ? 'ERR_CONTROL_REFUSED' : 'ERR_NODE_NOT_RUNNING';
      reject(new AwlError(code, undefined, { cause }));
    };
    socket.once('error', onError);
  });
}

class SocketClient implements NodeClient {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #rpc: MessageConnection;
  readonly #patchListeners = new Set<(patch: Patch) => void>();
  readonly #eventListeners = new Set<(event: NodeEvent) => void>();

  constructor(socket: Socket, rpc: MessageConnection) {
    this.#socket = socket;
    this.#rpc = rpc;
    // An error of the socket is followed by its close; requests in flight are rejected there.
    socket.on('error', () => undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    socket.once('close', () => {
      rpc.dispose();
      resolve();
    });
    rpc.onError(() => socket.destroy());
    rpc.onNotification(PatchMade, (patch) => this.#patchListeners.forEach((listener) => listener(patch)));
    rpc.onNotification(EventSeen, (event) => this.#eventListeners.forEach((listener) => listener(event)));
    rpc.listen();
  }

  async open(token: string): Promise<void> {
    try {
      await this.#send(this.#rpc.sendRequest(Hello, { token, version: '1' }));
    } catch (error) {
      this.#socket.destroy();
      throw error;
    }
  }

  snapshot(): ReturnType<EngineClient['snapshot']> {
    return this.#send(this.#rpc.sendRequest(TakeSnapshot));
  }

  subscribe(listener: (patch: Patch) => void): Disposable {
    this.#patchListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#patchListeners.delete(listener) };
  }

  onEvent(listener: (event: NodeEvent) => void): Disposable {
    this.#eventListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#eventListeners.delete(listener) };
  }

  async command<Name extends CommandName>(
    name: Name,
    params: Commands[Name]['params'],
    signal?: AbortSignal,
  ): Promise<Commands[Name]['result']> {
    signal?.throwIfAborted();
    const cancellation = new CancellationTokenSource();
    const onAbort = (): void => cancellation.cancel();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const answer = await this.#send(this.#rpc.sendRequest(Command, { name, params }, cancellation.token));
      return answer as Commands[Name]['result'];
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      cancellation.dispose();
    }
  }

  async close(): Promise<void> {
    this.#socket.end();
    this.#socket.destroySoon();
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The answer, or a rejection when the node goes away first. */
  async #send<T>(answer: Promise<T>): Promise<T> {
    const gone = this.closed.then(() => Promise.reject(new Error('closed')));
    try {
      return await Promise.race([answer, gone]);
    } catch (error) {
      throw fromResponseError(error);
    }
  }
}
