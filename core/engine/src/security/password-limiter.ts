import type { Clock } from '@awl/api';
import { AwlError } from '@awl/wire';

/** `ERR_AUTH_RATE_LIMITED` with the time to come back. */
export class RateLimitedError extends AwlError {
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    const seconds = Math.ceil(retryAfterMs / 1000);
    super('ERR_AUTH_RATE_LIMITED', `Too many passwords were tried: wait ${seconds} s.`);
    this.retryAfterMs = retryAfterMs;
  }
}

/** Tries that may come at once, and the time in which one grows back. */
interface Allowance {
  readonly burst: number;
  readonly everyMs: number;
}

const PER_PEER: Allowance = { burst: 5, everyMs: 60_000 };
/** Keys cost an attacker nothing, so all that nobody knows share one allowance. */
const UNKNOWN_PEERS: Allowance = { burst: 20, everyMs: 30_000 };
/** Peers counted by themselves; beyond it the longest quiet is forgotten. */
const PEERS_MAX = 1024;

/** Leaky bucket, as the generic cell rate algorithm has it: `fullAt` is when all tries so far will have grown back. */
class Bucket {
  #fullAt = -Infinity;

  /** Milliseconds until a try is allowed; 0: now. */
  waitMs(now: number, { burst, everyMs }: Allowance): number {
    return Math.max(0, this.#fullAt - now - (burst - 1) * everyMs);
  }

  take(now: number, { everyMs }: Allowance): void {
    this.#fullAt = Math.max(this.#fullAt, now) + everyMs;
  }
}

/** Limits guessing: per peer, and for all unknown peers together. Every start of a pairing counts, whether it would have been right or not. */
export class PasswordLimiter {
  readonly #clock: Clock;
  readonly #peers = new Map<string, Bucket>();
  readonly #unknown = new Bucket();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Peers counted by themselves. */
  get size(): number {
    return this.#peers.size;
  }

  /**
   * Counts one try of a peer; `known`: it is remembered, or came before with a ticket.
   * Throws {@link RateLimitedError}, which counts nothing.
   */
  count(peerId: string, known: boolean): void {
    const now = this.#clock.now();
    const bucket = this.#peers.get(peerId) ?? new Bucket();
    const waitMs = Math.max(
      bucket.waitMs(now, PER_PEER),
      known ? 0 : this.#unknown.waitMs(now, UNKNOWN_PEERS),
    );
    if (waitMs > 0) throw new RateLimitedError(waitMs);
    bucket.take(now, PER_PEER);
    if (!known) this.#unknown.take(now, UNKNOWN_PEERS);
    this.#peers.delete(peerId);
    this.#peers.set(peerId, bucket);
    for (const oldest of this.#peers.keys()) {
      if (this.#peers.size <= PEERS_MAX) break;
      this.#peers.delete(oldest);
    }
  }
}
