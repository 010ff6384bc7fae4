import { useCallback, useLayoutEffect, useRef } from 'react';

/** A callback of one identity that always does what the newest `handler` does. The inputs of `@inkjs/ui` report their value anew to each new callback. */
export function useStable<Arguments extends readonly unknown[]>(
  handler: (...args: Arguments) => void,
): (...args: Arguments) => void {
  const newest = useRef(handler);
  useLayoutEffect(() => {
    newest.current = handler;
  });
  return useCallback((...args: Arguments) => newest.current(...args), []);
}
