import { formatEndpoint, type Clock, type VerifiedCheck } from '@awl/api';
import type { Punched, ValidPair } from '../socket/check-agent.ts';

/** Verified checks that a strategy has not asked for yet; more are dropped, the first are the best. */
const QUEUE_LIMIT = 64;

/** Where a strategy waits for verified checks. */
export class CheckQueue {
  readonly #clock: Clock;
  readonly #seen = new Map<string, ValidPair>();
  readonly #waiting: ValidPair[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  push(valid: ValidPair): void {
    const key = keyOf(valid);
    const known = this.#seen.has(key);
    if (!known && this.#seen.size >= QUEUE_LIMIT) return;
    this.#seen.set(key, valid);
    if (known) return;
    this.#waiting.push(valid);
    this.#wake?.();
  }

  /** The next check; undefined after `timeoutMs` or once closed. */
  next(timeoutMs?: number): Promise<VerifiedCheck | undefined> {
    return new Promise((resolve) => {
      const settle = (): void => {
        timer?.[Symbol.dispose]();
        this.#wake = undefined;
        const valid = this.#waiting.shift();
        resolve(valid && { lease: valid.lease, remote: valid.remote, rttMs: valid.rttMs });
      };
      const timer = timeoutMs === undefined ? undefined : this.#clock.schedule(timeoutMs, settle);
      if (this.#waiting.length > 0 || this.#closed) return settle();
      this.#wake = settle;
    });
  }

  /** The pair behind a check that a strategy returned; undefined for one that never was. */
  find(check: VerifiedCheck): ValidPair | undefined {
    return this.#seen.get(keyOf(check));
  }

  rttOf(punched: Punched): number {
    return this.#seen.get(keyOf(punched))?.rttMs ?? 0;
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }
}

function keyOf({ lease, remote }: Pick<VerifiedCheck, 'lease' | 'remote'>): string {
  return `${lease.id} ${formatEndpoint(remote)}`;
}
