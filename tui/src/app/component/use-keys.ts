import { useInput, type Key } from 'ink';

/** Handles keys while `isActive`. Text that arrives in one piece (fast typing, a paste) is taken apart, one call for each character. */
export function useKeys(handler: (input: string, key: Key) => void, isActive = true): void {
  useInput(
    (input, key) => {
      if (input.length <= 1 || key.ctrl || key.meta) handler(input, key);
      else for (const character of input) handler(character, key);
    },
    { isActive },
  );
}
