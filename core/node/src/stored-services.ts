import type { Engine, ForwardRequest, ShareRequest } from '@awl/engine';
import type { HomeConfig } from './config/home-config.ts';
import type { NodeConfig, StoredForward, StoredShare } from './config/schema.ts';

/** Shares and forwards, and which of them stand in AWL_HOME's configuration, so that they come back at the next start. */
export class StoredServices {
  readonly #engine: Engine;
  readonly #homeConfig: HomeConfig;
  readonly #storedShares = new Map<string, StoredShare>();
  readonly #storedForwards = new Map<string, StoredForward>();

  constructor(engine: Engine, homeConfig: HomeConfig) {
    this.#engine = engine;
    this.#homeConfig = homeConfig;
  }

  /** Opens what the configuration names. One that fails is reported and leaves the others alone. */
  async restore(config: NodeConfig, report: (text: string, error: unknown) => void): Promise<void> {
    const shares = (config.shares ?? []).map(async (stored) => {
      const { share } = await this.#engine.share(stored);
      this.#storedShares.set(share, stored);
    });
    const forwards = (config.forwards ?? []).map(async (stored) => {
      const { forward } = await this.#engine.forward(stored);
      this.#storedForwards.set(forward, stored);
    });
    const results = await Promise.allSettled([...shares, ...forwards]);
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      const named = config.shares?.[index]?.target ?? config.forwards?.[index - shares.length]?.listen;
      report(
        `${index < shares.length ? 'the share of' : 'the forward at'} ${named} could not be opened`,
        result.reason,
      );
    }
  }

  async share(request: ShareRequest, store: boolean): ReturnType<Engine['share']> {
    const result = await this.#engine.share(request);
    if (store) {
      const { uses: _onceOnly, ...stored } = request;
      await this.#homeConfig.update((config) => ({ ...config, shares: [...(config.shares ?? []), stored] }));
      this.#storedShares.set(result.share, stored);
    }
    return result;
  }

  async unshare(share: string): Promise<void> {
    await this.#engine.unshare(share);
    const stored = this.#storedShares.get(share);
    if (!stored) return;
    this.#storedShares.delete(share);
    await this.#homeConfig.update((config) => ({ ...config, shares: without(config.shares, stored) }));
  }

  async forward(request: ForwardRequest, store: boolean): ReturnType<Engine['forward']> {
    const result = await this.#engine.forward(request);
    if (store) {
      // Once connected, the peer is remembered by its key: the password is not needed again, and belongs into no file.
      const { signal: _signal, password: _password, strategies, listen, ...rest } = request;
      const stored = { ...rest, listen, ...(strategies ? { strategies: [...strategies] } : {}) };
      await this.#homeConfig.update((config) => ({
        ...config,
        forwards: [...(config.forwards ?? []), stored],
      }));
      this.#storedForwards.set(result.forward, stored);
    }
    return result;
  }

  async unforward(forward: string): Promise<void> {
    await this.#engine.unforward(forward);
    const stored = this.#storedForwards.get(forward);
    if (!stored) return;
    this.#storedForwards.delete(forward);
    await this.#homeConfig.update((config) => ({ ...config, forwards: without(config.forwards, stored) }));
  }
}

/** The list without the first entry of this content. */
function without<T>(list: readonly T[] | undefined, entry: T): T[] {
  const text = JSON.stringify(entry);
  const index = (list ?? []).findIndex((other) => JSON.stringify(other) === text);
  return (list ?? []).filter((_other, at) => at !== index);
}
