import type { Clock } from '@awl/api';

/** A signal that aborts after a time, or with another signal; disposing ends the wait. */
function timeLimit(
  clock: Clock,
  limitMs: number,
  outer?: AbortSignal,
): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const timer = clock.schedule(limitMs, () =>
    controller.abort(new Error(`no answer within ${limitMs / 1000} s`)),
  );
  return {
    signal: outer ? AbortSignal.any([outer, controller.signal]) : controller.signal,
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  };
}

/** Asks a mapper for something; rejects after `limitMs` or with `outer`, also when the mapper does not obey its signal. */
export async function callMapper<T>(
  clock: Clock,
  limitMs: number,
  call: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  using limit = timeLimit(clock, limitMs, outer);
  const { signal } = limit;
  const late = aborted(signal).then((): never => {
    throw signal.reason;
  });
  return await Promise.race([call(signal), late]);
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
