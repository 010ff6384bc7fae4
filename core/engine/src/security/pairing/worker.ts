import { Worker } from 'node:worker_threads';
import type { Clock } from '@awl/api';
import { AwlError } from '@awl/wire';
import type { PairingOperation, PairingOperations, WorkerRequest, WorkerResponse } from './operations.ts';

/**
 * The worker's file, beside this one: `pairing-worker.ts` under Node's type stripping, `pairing-worker.js` once compiled. A build that bundles
 * this file into another must emit `pairing-worker.ts` as an entry named `pairing-worker` into the same directory.
 */
export const PAIRING_WORKER_URL = new URL(
  import.meta.url.endsWith('.ts') ? './pairing-worker.ts' : './pairing-worker.js',
  import.meta.url,
);

/** Operations that may wait; more than anybody pairs at once. */
const PENDING_MAX = 32;
/** Argon2 leaves 64 MiB behind, so an idle worker ends. */
const IDLE_MS = 30_000;

interface Pending {
  readonly resolve: (result: WorkerResponse['result']) => void;
  readonly reject: (error: unknown) => void;
}

/** A worker thread for OPAQUE: started at the first operation, ended when idle, never keeping the process alive by itself. */
export class PairingWorker implements Disposable {
  readonly #clock: Clock;
  #worker: Worker | undefined;
  #idle: Disposable | undefined;
  #closed = false;
  #lastId = 0;
  readonly #pending = new Map<number, Pending>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True while the thread runs. */
  get running(): boolean {
    return this.#worker !== undefined;
  }

  /**
   * One operation; `null` where what the peer sent does not fit. Rejects with `ERR_AUTH_RATE_LIMITED` when too many wait, with
   * `ERR_SESSION_CLOSED` when closed, with the signal's reason when aborted.
   */
  run<Name extends PairingOperation>(
    operation: Name,
    params: PairingOperations[Name]['params'],
    signal?: AbortSignal,
  ): Promise<PairingOperations[Name]['result']> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#closed) return reject(new AwlError('ERR_SESSION_CLOSED', 'The node is stopping.'));
      if (this.#pending.size >= PENDING_MAX) {
        return reject(
          new AwlError('ERR_AUTH_RATE_LIMITED', 'Too many pairings are under way; try again in a minute.'),
        );
      }
      const id = ++this.#lastId;
      const onAbort = (): void => this.#settle(id)?.reject(signal?.reason);
      const done = (): void => signal?.removeEventListener('abort', onAbort);
      this.#pending.set(id, {
        resolve: (result) => (done(), resolve(result)),
        reject: (error) => (done(), reject(error)),
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#idle?.[Symbol.dispose]();
      const worker = (this.#worker ??= this.#start());
      worker.ref();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
      worker.postMessage({ id, operation, params } satisfies WorkerRequest);
    });
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#end(new AwlError('ERR_SESSION_CLOSED', 'The node is stopping.'));
  }

  #start(): Worker {
    // No flags of ours: a path in one of them need not hold for the worker.
    const worker = new Worker(PAIRING_WORKER_URL, { name: 'awl-pairing', execArgv: [] });
    worker.on('message', ({ id, result }: WorkerResponse) => this.#settle(id)?.resolve(result));
    worker.on('error', (error) => this.#worker === worker && this.#end(error));
    worker.on(
      'exit',
      (code) => this.#worker === worker && this.#end(new Error(`the pairing worker ended with ${code}`)),
    );
    return worker;
  }

  /** Takes a pending operation out; when it was the last, the worker no longer counts. */
  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0 && this.#worker) {
      this.#worker.unref();
      this.#idle?.[Symbol.dispose]();
      this.#idle = this.#clock.schedule(IDLE_MS, () => this.#end(new Error('the pairing worker was idle')));
    }
    return pending;
  }

  #end(reason: unknown): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#idle?.[Symbol.dispose]();
    this.#idle = undefined;
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of waiting) reject(reason);
    void worker?.terminate();
  }
}
