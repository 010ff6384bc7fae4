/**
 * Monotonic time and timers, handed in everywhere, so that a whole punching run replays from a seed on a virtual clock.
 */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back; may be fractional. */
  now(): number;
  /** Calls `task` once after `delayMs` milliseconds (0: soon, never synchronously); disposing cancels it. */
  schedule(delayMs: number, task: () => void): Disposable;
}

/** Randomness, handed in for the same reason. The engine's own is cryptographically strong. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [0, below). */
  integer(below: number): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}

/** Resolves after `delayMs`, or rejects with the signal's reason when that comes first. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      timer[Symbol.dispose]();
      reject(signal?.reason);
    };
    const timer = clock.schedule(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
