import { useInput, useStdin, type Key } from 'ink';

/** True where several characters came in one piece: typed ahead while the machine was busy. */
function isTypedAhead(input: string, key: Key): boolean {
  return input.length > 1 && !key.ctrl && !key.meta;
}

/** Handles keys while `isActive`; of several that came in one piece only the first, see {@link useTypeAhead}. */
export function useKeys(handler: (input: string, key: Key) => void, isActive = true): void {
  useInput((input, key) => handler(isTypedAhead(input, key) ? input.slice(0, 1) : input, key), { isActive });
}

/**
 * Gives back all but the first of several characters that came in one piece, once that one has had its effect: the next may be for
 * what it opened. Used once, by whoever is always there; inputs of forms take a piece as a whole.
 */
export function useTypeAhead(isActive: boolean): void {
  const { stdin } = useStdin();
  useInput(
    (input, key) => {
      if (isTypedAhead(input, key)) setImmediate(() => stdin.unshift(input.slice(1), 'utf8'));
    },
    { isActive },
  );
}
