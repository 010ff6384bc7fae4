import type { Engine, ForwardRequest } from '@awl/engine';
import { toAwlError } from '@awl/wire';
import type { StoredForward } from './config/schema.ts';

const FIRST_RETRY_MS = 2000;
const LAST_RETRY_MS = 60_000;

/** A stored forward whose peer is not there yet: shown as waiting, and tried again until it listens. */
export class WaitingForward implements Disposable {
  readonly stored: StoredForward;
  readonly #engine: Engine;
  readonly #id: string;
  readonly #onListening: (forward: string) => void;
  readonly #ended = new AbortController();
  #retryMs = FIRST_RETRY_MS;
  #timer: Disposable | undefined;

  constructor(engine: Engine, id: string, stored: StoredForward, onListening: (forward: string) => void) {
    this.#engine = engine;
    this.#id = id;
    this.stored = stored;
    this.#onListening = onListening;
    void this.#try();
  }

  async #try(): Promise<void> {
    const { signal } = this.#ended;
    try {
      const request: ForwardRequest = { ...this.stored, signal };
      const { forward } = await this.#engine.forward(request);
      if (signal.aborted) return await this.#engine.unforward(forward);
      this.#engine.state.apply({ collection: 'forwards', id: this.#id, value: null });
      this.#onListening(forward);
    } catch (error) {
      if (signal.aborted) return;
      this.#show(error);
      this.#timer = this.#engine.clock.schedule(this.#retryMs, () => void this.#try());
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    }
  }

  #show(error: unknown): void {
    const { code, message: reason } = toAwlError(error);
    const { peer = '', listen, protocol = 'tcp', target } = this.stored;
    const value = {
      id: this.#id,
      peer,
      listen,
      protocol,
      ...(target === undefined ? {} : { target }),
      status: 'waiting',
      code,
      reason,
      connections: 0,
      sentBytes: 0,
      receivedBytes: 0,
    } as const;
    this.#engine.state.apply({ collection: 'forwards', id: this.#id, value });
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    this.#timer?.[Symbol.dispose]();
    this.#engine.state.apply({ collection: 'forwards', id: this.#id, value: null });
  }
}
