const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** What does not end by then is left behind. */
const PATIENCE_MS = 5000;

/** Aborts at the first signal to stop; the command then cleans up and returns. */
export function onStop(): Disposable & { readonly signal: AbortSignal } {
  const stop = new AbortController();
  let impatience: NodeJS.Timeout | undefined;
  const onSignal = (): void => {
    stop.abort();
    impatience ??= setTimeout(() => process.exit(1), PATIENCE_MS).unref();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // The shim's channel: it closes when the shim is killed.
  process.channel?.unref();
  process.on('disconnect', onSignal);
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      clearTimeout(impatience);
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.off('disconnect', onSignal);
    },
  };
}

/** Resolves when it is time to stop. */
export function untilStopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
