import { randomBytes, randomInt } from 'node:crypto';
import type { Clock, Random } from '@awl/api';

/** The operating system's monotonic clock. */
export const realClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, task) {
    if (delayMs <= 0) {
      const immediate = setImmediate(task);
      return { [Symbol.dispose]: () => clearImmediate(immediate) };
    }
    const timer = setTimeout(task, delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** The operating system's random numbers. */
export const realRandom: Random = {
  next: () => randomInt(2 ** 47) / 2 ** 47,
  integer: (below) => (below <= 1 ? 0 : randomInt(below)),
  bytes: (length) => randomBytes(length),
};
