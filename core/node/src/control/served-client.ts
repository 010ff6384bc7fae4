import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { AwlError } from '@awl/wire';
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type CancellationToken,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import {
  HELLO_TIMEOUT_MS,
  MAX_CLIENT_MESSAGE_BYTES,
  MAX_OPEN_REQUESTS,
  MAX_QUEUED_MESSAGES,
  REFUSAL_MS,
  STALLED_CLIENT_MS,
} from './limits.ts';
import { Command, EventSeen, Hello, PatchMade, TakeSnapshot, toResponseError } from './rpc.ts';
import { parseCommand, parseHello } from './schemas.ts';
import type { ControlServerOptions } from './options.ts';
import { SizeCheck } from './size-check.ts';

/** One client of the control socket. */
export interface ServedClient extends Disposable {
  readonly closed: Promise<void>;
}

/** Serves a client until it goes, sends something that is not understood, or does not read. */
export function serveClient(socket: Socket, token: string, options: ControlServerOptions): ServedClient {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const scope = new DisposableStack();
  const gone = new AbortController();
  const end = (why?: string): void => {
    if (why && !socket.destroyed) options.warn(`a client of the control socket was cut off: ${why}`);
    socket.destroy();
  };
  socket.on('error', () => undefined);
  socket.once('close', () => {
    gone.abort(new AwlError('ERR_ATTEMPT_CANCELLED', 'The client went away.'));
    scope.dispose();
    rpc.dispose();
    resolve();
  });
  const checked = new SizeCheck(MAX_CLIENT_MESSAGE_BYTES);
  checked.on('error', (error) => end(error.message));
  socket.pipe(checked);
  const rpc = createMessageConnection(new StreamMessageReader(checked), new StreamMessageWriter(socket));
  rpc.onError(([error]) => end(error.message));
  const impatience = setTimeout(() => end('it did not say hello'), HELLO_TIMEOUT_MS);
  scope.defer(() => clearTimeout(impatience));

  let trusted = false;
  rpc.onRequest(Hello, (value) => {
    const hello = parseHello(value);
    if (!hello || !sameToken(hello.token, token)) {
      // Time for the answer to leave.
      setTimeout(end, REFUSAL_MS, 'wrong token');
      return toResponseError(new AwlError('ERR_CONTROL_REFUSED'));
    }
    clearTimeout(impatience);
    if (!trusted) follow(rpc, options, scope, end);
    trusted = true;
    return { version: options.version, peerId: options.peerId };
  });
  rpc.onRequest(TakeSnapshot, () =>
    trusted ? options.state.snapshot() : toResponseError(new AwlError('ERR_CONTROL_REFUSED')),
  );
  let open = 0;
  rpc.onRequest(Command, async (value, cancellation) => {
    if (!trusted) return toResponseError(new AwlError('ERR_CONTROL_REFUSED'));
    if (open >= MAX_OPEN_REQUESTS) return end('too many requests at once');
    open += 1;
    try {
      return await runCommand(value, cancellation, gone.signal, options);
    } catch (error) {
      return toResponseError(error);
    } finally {
      open -= 1;
    }
  });
  rpc.onUnhandledNotification(() => end('an unknown notification'));
  rpc.listen();
  socket.resume();
  return { closed, [Symbol.dispose]: () => end() };
}

async function runCommand(
  value: unknown,
  cancellation: CancellationToken,
  gone: AbortSignal,
  options: ControlServerOptions,
): Promise<unknown> {
  const request = parseCommand(value);
  if ('wrong' in request) throw new AwlError('ERR_WIRE_SCHEMA', `${request.wrong}.`);
  const cancelled = new AbortController();
  const cancel = (): void => cancelled.abort(new AwlError('ERR_ATTEMPT_CANCELLED'));
  // A request that was cancelled while it waited comes with a token that fires no event.
  if (cancellation.isCancellationRequested) cancel();
  cancellation.onCancellationRequested(cancel);
  return options.run(request.name, request.params, AbortSignal.any([gone, cancelled.signal]));
}

/** Sends patches and events. A client that reads too slowly misses some, and sees that by the gap in the sequence. */
function follow(
  rpc: MessageConnection,
  options: ControlServerOptions,
  scope: DisposableStack,
  end: (why: string) => void,
): void {
  let queued = 0;
  let stalled: NodeJS.Timeout | undefined;
  scope.defer(() => clearTimeout(stalled));
  // The writer finishes one message before it begins the next, so what waits is counted in messages.
  const send = (write: () => Promise<void>): void => {
    if (queued >= MAX_QUEUED_MESSAGES) return;
    queued += 1;
    stalled ??= setTimeout(() => end('it does not read'), STALLED_CLIENT_MS);
    const onWritten = (): void => {
      queued -= 1;
      clearTimeout(stalled);
      stalled = undefined;
    };
    write().then(onWritten, onWritten);
  };
  scope.use(options.state.subscribe((patch) => send(() => rpc.sendNotification(PatchMade, patch))));
  scope.use(options.onEvent((event) => send(() => rpc.sendNotification(EventSeen, event))));
}

/** Compares in constant time, whatever the lengths. */
function sameToken(given: string, expected: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}
