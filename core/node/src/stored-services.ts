import type { Engine, ForwardRequest, ShareRequest } from '@awl/engine';
import { toAwlError } from '@awl/wire';
import type { HomeConfig } from './config/home-config.ts';
import type { NodeConfig, StoredForward, StoredShare } from './config/schema.ts';
import { WaitingForward } from './waiting-forward.ts';

export interface ServiceParts {
  readonly engine: Engine;
  readonly homeConfig: HomeConfig;
  readonly report: (text: string) => void;
}

/** Shares and forwards, and which of them stand in AWL_HOME's configuration, so that they come back at the next start. */
export class StoredServices implements Disposable {
  readonly #parts: ServiceParts;
  readonly #shares = new Map<string, StoredShare>();
  readonly #forwards = new Map<string, StoredForward>();
  /** Forwards whose peer could not be reached yet, by the id that the state shows. */
  readonly #waiting = new Map<string, WaitingForward>();

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  /** Opens what the configuration names. A share that fails is reported; a forward is tried again until its peer is there. */
  async restore(config: NodeConfig): Promise<void> {
    const { engine, report } = this.#parts;
    for (const stored of config.shares ?? []) {
      try {
        const { share } = await engine.share(stored);
        this.#shares.set(share, stored);
      } catch (error) {
        report(`The share of ${stored.target} could not be opened: ${toAwlError(error).message}`);
      }
    }
    for (const [index, stored] of (config.forwards ?? []).entries()) {
      const id = `stored-${index + 1}`;
      const waiting = new WaitingForward(engine, id, stored, (forward) => {
        this.#waiting.delete(id);
        this.#forwards.set(forward, stored);
      });
      this.#waiting.set(id, waiting);
    }
  }

  async share(request: ShareRequest, store: boolean): ReturnType<Engine['share']> {
    const result = await this.#parts.engine.share(request);
    if (store) {
      const { uses: _onceOnly, ...stored } = request;
      await this.#parts.homeConfig.update((config) => ({
        ...config,
        shares: [...(config.shares ?? []), stored],
      }));
      this.#shares.set(result.share, stored);
    }
    return result;
  }

  async unshare(share: string): Promise<void> {
    await this.#parts.engine.unshare(share);
    const stored = this.#shares.get(share);
    if (!stored) return;
    this.#shares.delete(share);
    await this.#parts.homeConfig.update((config) => ({ ...config, shares: without(config.shares, stored) }));
  }

  async forward(request: ForwardRequest, store: boolean): ReturnType<Engine['forward']> {
    const result = await this.#parts.engine.forward(request);
    if (store) {
      // Once connected, the peer is remembered by its key: the password is not needed again, and belongs into no file.
      const { signal: _signal, password: _password, strategies, ...rest } = request;
      const stored = { ...rest, ...(strategies ? { strategies: [...strategies] } : {}) };
      await this.#parts.homeConfig.update((config) => ({
        ...config,
        forwards: [...(config.forwards ?? []), stored],
      }));
      this.#forwards.set(result.forward, stored);
    }
    return result;
  }

  async unforward(forward: string): Promise<void> {
    const waiting = this.#waiting.get(forward);
    const stored = waiting?.stored ?? this.#forwards.get(forward);
    if (waiting) waiting[Symbol.dispose]();
    else await this.#parts.engine.unforward(forward);
    this.#waiting.delete(forward);
    this.#forwards.delete(forward);
    if (!stored) return;
    await this.#parts.homeConfig.update((config) => ({
      ...config,
      forwards: without(config.forwards, stored),
    }));
  }

  [Symbol.dispose](): void {
    for (const waiting of this.#waiting.values()) waiting[Symbol.dispose]();
    this.#waiting.clear();
  }
}

/** The list without the first entry of this content. */
function without<T>(list: readonly T[] | undefined, entry: T): T[] {
  const text = JSON.stringify(entry);
  const index = (list ?? []).findIndex((other) => JSON.stringify(other) === text);
  return (list ?? []).filter((_other, at) => at !== index);
}
