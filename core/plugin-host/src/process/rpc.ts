import type { Duplex } from 'node:stream';
import type { Clock } from '@awl/api';
import { AwlError, isErrorCode } from '@awl/wire';
import {
  CancellationTokenSource,
  createMessageConnection,
  NullLogger,
  ResponseError,
  type CancellationToken,
  type MessageConnection,
} from 'vscode-jsonrpc/node';
import { FrameReader, FrameWriter, type FrameLimits } from './framing.ts';

/** Requests of the other side that may wait for an answer at a time. */
const REQUESTS_OPEN = 4096;
const INTERNAL_ERROR = -32603;

export interface RpcHandlers {
  /** Answers a request; a thrown error becomes its error answer. */
  request(method: string, params: unknown, signal: AbortSignal): Promise<unknown>;
  notification(method: string, params: unknown): void;
  /** The other side broke the protocol. */
  violation(reason: string): void;
  closed(): void;
}

interface ErrorData {
  readonly code?: string;
}

function abortSignalOf(token: CancellationToken): AbortSignal {
  const abort = new AbortController();
  if (token.isCancellationRequested) abort.abort();
  token.onCancellationRequested(() =>
    abort.abort(new AwlError('ERR_ATTEMPT_CANCELLED', 'the call was cancelled')),
  );
  return abort.signal;
}

function fromWire(error: unknown): unknown {
  if (!(error instanceof ResponseError)) return error;
  const code = (error.data as ErrorData | undefined)?.code;
  return isErrorCode(code) ? new AwlError(code, error.message) : new Error(error.message);
}

/** JSON-RPC over a pipe; both sides call and are called. */
export class Rpc implements Disposable {
  readonly #connection: MessageConnection;
  readonly #stream: Duplex;
  #open = 0;
  #closed: AwlError | undefined;
  readonly #pending = new Set<(error: AwlError) => void>();

  constructor(stream: Duplex, limits: FrameLimits, clock: Clock, handlers: RpcHandlers) {
    this.#stream = stream;
    stream.on('error', () => undefined); // a broken pipe is followed by `close`
    const reader = new FrameReader(stream, limits, clock, (reason) => handlers.violation(reason));
    this.#connection = createMessageConnection(
      reader,
      new FrameWriter(stream, limits.messageBytes),
      NullLogger,
    );
    this.#connection.onRequest(async (method, params, token) => {
      if (this.#open >= REQUESTS_OPEN) {
        handlers.violation(`more than ${REQUESTS_OPEN} requests at a time`);
        return new ResponseError(INTERNAL_ERROR, 'too many requests');
      }
      this.#open += 1;
      try {
        return (await handlers.request(method, params, abortSignalOf(token))) ?? null;
      } catch (error) {
        const code = (error as { readonly code?: unknown } | null)?.code;
        const message = error instanceof Error ? error.message : String(error);
        return new ResponseError<ErrorData>(
          INTERNAL_ERROR,
          message,
          typeof code === 'string' ? { code } : {},
        );
      } finally {
        this.#open -= 1;
      }
    });
    this.#connection.onNotification((method, params) => handlers.notification(method, params));
    this.#connection.onError(() => undefined);
    this.#connection.onClose(() => handlers.closed());
    this.#connection.listen();
  }

  /** Bytes that the other side has not taken yet. */
  get unsentBytes(): number {
    return this.#stream.writableLength;
  }

  /** Rejects with the error of the other side, with the signal's reason at once when that aborts, or when the other side is gone. */
  async call(method: string, params: object, signal?: AbortSignal): Promise<unknown> {
    if (this.#closed) throw this.#closed;
    signal?.throwIfAborted();
    const source = new CancellationTokenSource();
    const { promise: stopped, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => {
      source.cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#pending.add(reject);
    try {
      const answer = this.#connection.sendRequest<unknown>(method, params, source.token);
      answer.catch(() => undefined);
      return await Promise.race([answer, stopped]);
    } catch (error) {
      throw fromWire(error);
    } finally {
      this.#pending.delete(reject);
      signal?.removeEventListener('abort', onAbort);
      source.dispose();
    }
  }

  notify(method: string, params: object): void {
    if (this.#closed) return;
    this.#connection.sendNotification(method, params).catch(() => undefined);
  }

  /** Every open call rejects with `error`. */
  close(error: AwlError): void {
    if (this.#closed) return;
    this.#closed = error;
    for (const reject of this.#pending) reject(error);
    this.#connection.dispose();
    this.#stream.destroy();
  }

  [Symbol.dispose](): void {
    this.close(new AwlError('ERR_PLUGIN_CRASHED'));
  }
}
