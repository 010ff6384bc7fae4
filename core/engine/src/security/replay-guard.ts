import type { Clock } from '@awl/api';

/**
 * Remembers which messages came, for as long as their attempt may live. Messages carry no date, since the peers' clocks may differ: what is
 * replayed after that begins an attempt which ends at once, because only the real peer can return the nonce of the new answer.
 */
export class ReplayGuard {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #max: number;
  /** Receipt times; a map keeps the order of insertion, so the oldest comes first. */
  readonly #seen = new Map<string, number>();

  /**
   * @param options.lifetimeMs how long after its receipt a message is remembered; default 5 minutes
   * @param options.max messages remembered at most; the oldest go first; default 4096
   */
  constructor(clock: Clock, options: { readonly lifetimeMs?: number; readonly max?: number } = {}) {
    this.#clock = clock;
    this.#lifetimeMs = options.lifetimeMs ?? 300_000;
    this.#max = options.max ?? 4096;
  }

  /** Messages remembered. */
  get size(): number {
    return this.#seen.size;
  }

  /** True the first time that a message of this hash comes. */
  accept(hash: string): boolean {
    const now = this.#clock.now();
    for (const [oldest, at] of this.#seen) {
      if (now - at < this.#lifetimeMs && this.#seen.size < this.#max) break;
      this.#seen.delete(oldest);
    }
    if (this.#seen.has(hash)) return false;
    this.#seen.set(hash, now);
    return true;
  }
}
