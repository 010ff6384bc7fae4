/** A character that stands where something was removed, so that two names that differ look different. */
export const REPLACEMENT = '\uFFFD';

/** Longest text that is looked at, in UTF-16 units; the rest is cut. */
const CLEAN_LIMIT = 2048;
/** Combining marks kept on one base; more than this is decoration that runs over other lines. */
const MARKS_KEPT = 2;

const plain = /^[\x20-\x7e]*$/;
const allowed = /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]$/u;
/** Invisible although they count as letters, marks or symbols: fillers, joiners, variation selectors, the blank Braille cell. */
const invisible = /^[\p{Default_Ignorable_Code_Point}\u2800]$/u;
const mark = /^\p{M}$/u;

/**
 * Text from outside (peers, plugins, the network) as it may reach the terminal: an allow-list of letters, digits, punctuation and symbols.
 * Escape sequences, control, bidirectional and zero-width characters become {@link REPLACEMENT}; every kind of space becomes a space.
 */
export function clean(text: string): string {
  if (plain.test(text)) return text.length > CLEAN_LIMIT ? text.slice(0, CLEAN_LIMIT) : text;
  let result = '';
  let marks = 0;
  for (const character of text.slice(0, CLEAN_LIMIT)) {
    if (/\s/u.test(character)) {
      result += ' ';
      marks = 0;
    } else if (!allowed.test(character) || invisible.test(character)) {
      if (!result.endsWith(REPLACEMENT)) result += REPLACEMENT;
      marks = 0;
    } else if (mark.test(character)) {
      marks += 1;
      if (marks <= MARKS_KEPT && result !== '') result += character;
    } else {
      result += character;
      marks = 0;
    }
  }
  return result;
}
