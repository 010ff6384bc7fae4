/** RFC 6298 §2.1. */
const INITIAL_RTO_MS = 1000;
const LEAST_RTO_MS = 200;
const RETRIES_MAX = 8;

/** When a segment is sent again: after the retransmission timeout, and twice as long each time after that (RFC 6298 §5). */
export class RetransmissionTimer {
  readonly #schedule: (delayMs: number, task: () => void) => Disposable;
  #timer: Disposable | null = null;
  #rtoMs = INITIAL_RTO_MS;
  #retries = 0;

  constructor(schedule: (delayMs: number, task: () => void) => Disposable) {
    this.#schedule = schedule;
  }

  get isRunning(): boolean {
    return this.#timer !== null;
  }

  /** (Re)starts it; `onExpired` hears whether there is a try left. */
  start(onExpired: (mayRetry: boolean) => void): void {
    this.stop();
    this.#timer = this.#schedule(this.#rtoMs * 2 ** this.#retries, () => {
      this.#timer = null;
      onExpired(++this.#retries <= RETRIES_MAX);
    });
  }

  stop(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = null;
  }

  /** Something new was acknowledged. */
  reset(): void {
    this.#retries = 0;
  }

  /** The round trip is known. */
  measured(rttMs: number): void {
    this.#rtoMs = Math.max(LEAST_RTO_MS, Math.min(INITIAL_RTO_MS, 2 * rttMs));
  }
}
