import type { Clock, Random } from '@awl/api';
import type { CheckAgent, CheckedLease, Punched } from '../socket/check-agent.ts';

/** RFC 7675 §5.1: a check about every 5 s, spread by ±20 %. It also keeps the mappings of both NATs alive. */
const INTERVAL_MS = 5000;
const SPREAD = 0.2;
/** RFC 7675 §5.1: without an answer for so long the consent is gone. */
const EXPIRY_MS = 30_000;

/** Goes on asking the peer of a UDP path whether it still wants our packets. */
export class Consent implements Disposable {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #agent: CheckAgent;
  readonly #checked: CheckedLease;
  readonly #punched: Punched;
  readonly #onExpired: () => void;
  #answeredAt: number;
  #timer: Disposable | undefined;
  /** The round trip of the last check. */
  rttMs: number | undefined;

  constructor(parts: {
    readonly clock: Clock;
    readonly random: Random;
    readonly agent: CheckAgent;
    readonly checked: CheckedLease;
    readonly punched: Punched;
    readonly onExpired: () => void;
  }) {
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#agent = parts.agent;
    this.#checked = parts.checked;
    this.#punched = parts.punched;
    this.#onExpired = parts.onExpired;
    this.#answeredAt = parts.clock.now();
    this.#agent.onValid = ({ rttMs }) => {
      this.#answeredAt = this.#clock.now();
      this.rttMs = rttMs;
    };
    this.#next();
  }

  #next(): void {
    const waitMs = INTERVAL_MS * (1 - SPREAD + this.#random.next() * 2 * SPREAD);
    this.#timer = this.#clock.schedule(waitMs, () => {
      if (this.#clock.now() - this.#answeredAt > EXPIRY_MS) return this.#onExpired();
      this.#agent.send(this.#checked, this.#punched.remote);
      this.#next();
    });
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }
}
