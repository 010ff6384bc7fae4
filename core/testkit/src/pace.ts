import type { VirtualClock } from './clock.ts';

/** The clock looks up at least this often, so that what comes from outside it finds the right time. */
const LONGEST_SLEEP_MS = 20;

/** Lets a virtual clock run as fast as a real one, so that a person can watch. Resolves once `signal` aborts. */
export async function pace(
  clock: VirtualClock,
  options: { readonly signal: AbortSignal; readonly speed?: number },
): Promise<void> {
  const { signal, speed = 1 } = options;
  const startedAt = performance.now();
  const originMs = clock.now();
  while (!signal.aborted) {
    await clock.run({ untilMs: originMs + (performance.now() - startedAt) * speed });
    const waitMs = Math.min(LONGEST_SLEEP_MS, (clock.nextInMs() ?? Infinity) / speed);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        clock.onSchedule = null;
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      clock.onSchedule = wake;
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
