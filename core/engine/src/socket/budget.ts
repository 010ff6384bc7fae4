import type { Clock } from '@awl/api';
import { AwlError } from '@awl/wire';

/** What one node may spend on probing, over all attempts, so that no home router melts. */
export interface NodeLimits {
  /** Leases open at once. */
  readonly sockets: number;
  /** Probes per second; a burst of a tenth of a second's worth is let through at once. */
  readonly probesPerSecond: number;
}

export const DEFAULT_NODE_LIMITS: NodeLimits = { sockets: 1200, probesPerSecond: 15_000 };

/** The node-wide budget: a count of sockets and a token bucket of probes. */
export class NodeBudget {
  readonly #clock: Clock;
  #limits: NodeLimits;
  #sockets = 0;
  #tokens: number;
  #refilledAt: number;

  constructor(clock: Clock, limits: NodeLimits = DEFAULT_NODE_LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
    this.#tokens = this.#burst();
    this.#refilledAt = clock.now();
  }

  get limits(): NodeLimits {
    return this.#limits;
  }

  set limits(limits: NodeLimits) {
    this.#limits = limits;
  }

  #burst(): number {
    return Math.max(20, this.#limits.probesPerSecond / 10);
  }

  /** Takes `count` sockets, or throws `ERR_BUDGET_SOCKETS`. */
  takeSockets(count: number): void {
    if (this.#sockets + count > this.#limits.sockets)
      throw new AwlError(
        'ERR_BUDGET_SOCKETS',
        `${count} sockets wanted, ${this.#limits.sockets - this.#sockets} of ${this.#limits.sockets} left`,
      );
    this.#sockets += count;
  }

  returnSocket(): void {
    this.#sockets -= 1;
  }

  /** How many of `count` probes may leave now. */
  takeProbes(count: number): number {
    const now = this.#clock.now();
    this.#tokens = Math.min(
      this.#burst(),
      this.#tokens + ((now - this.#refilledAt) * this.#limits.probesPerSecond) / 1000,
    );
    this.#refilledAt = now;
    const granted = Math.max(0, Math.min(count, Math.floor(this.#tokens)));
    this.#tokens -= granted;
    return granted;
  }
}
