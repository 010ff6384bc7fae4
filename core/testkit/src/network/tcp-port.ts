import type { Endpoint } from '@awl/api';
import { DialError, type TcpPort, type TcpStream } from '@awl/engine';
import type { OpeningResult, TcpConnection } from './tcp-connection.ts';

/** What a TCP port needs of its host. */
export interface PortStack {
  schedule(delayMs: number, task: () => void): Disposable;
  /** Null where there is no route, or such a connection already. */
  openConnection(
    port: SimulatedTcpPort,
    to: Endpoint,
    onOpened: (result: OpeningResult) => void,
  ): TcpConnection | null;
  release(port: SimulatedTcpPort): void;
}

/** A reserved TCP port of a simulated host. */
export class SimulatedTcpPort implements TcpPort {
  readonly local: Endpoint;
  /** Takes connections once the port listens. */
  accept: ((connection: TcpStream) => void) | null = null;
  readonly #stack: PortStack;
  readonly #dialling = new Set<TcpConnection>();
  #open = true;

  constructor(stack: PortStack, local: Endpoint) {
    this.#stack = stack;
    this.local = local;
  }

  dial(
    to: Endpoint,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<TcpStream> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (!this.#open || signal?.aborted) return reject(new DialError('aborted'));
      const connection = this.#stack.openConnection(this, to, (result) => {
        signal?.removeEventListener('abort', onAbort);
        timer[Symbol.dispose]();
        if (connection) this.#dialling.delete(connection);
        if ('connected' in result) resolve(result.connected);
        else reject(new DialError(result.failed));
      });
      if (!connection) return reject(new DialError('unreachable'));
      const onAbort = (): void => connection.abandon('aborted');
      const timer = this.#stack.schedule(options.timeoutMs, () => connection.abandon('timeout'));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#dialling.add(connection);
    });
  }

  listen(accept: (connection: TcpStream) => void): Promise<void> {
    this.accept = accept;
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.accept = null;
    for (const connection of this.#dialling) connection.abandon('aborted');
    this.#stack.release(this);
  }
}
