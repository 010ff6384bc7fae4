import type { Clock, Random } from '@awl/api';
import { machineNowMs } from '../machine-time.ts';

/** A clock whose zero is at `startMs` of the machine's monotonic time. */
export function clockFrom(startMs: number): Clock {
  return {
    now: () => machineNowMs() - startMs,
    schedule(delayMs, task) {
      const timer = setTimeout(task, delayMs);
      return { [Symbol.dispose]: () => clearTimeout(timer) };
    },
  };
}

/** Cryptographically strong. */
export const random: Random = {
  next: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
  integer: (below) => Math.floor(((crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32) * below),
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};
