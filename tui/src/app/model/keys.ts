import type { ScreenName } from '../store/ui-state.ts';

/** A key, what it does, and how soon it is dropped from a narrow key bar (0: never). */
export interface KeyHint {
  readonly key: string;
  readonly text: string;
  readonly priority: number;
}

const hint = (key: string, text: string, priority = 1): KeyHint => ({ key, text, priority });

/** Keys that work on every screen. */
export const GLOBAL_KEYS: readonly KeyHint[] = [
  hint('1-6', 'screens', 5),
  hint('tab', 'next screen', 6),
  hint(':', 'commands', 0),
  hint('?', 'help', 0),
  hint('q', 'quit', 0),
];

/** Keys of each screen. */
export const SCREEN_KEYS: { readonly [Name in ScreenName]: readonly KeyHint[] } = {
  overview: [
    hint('c', 'connect', 0),
    hint('enter', 'open'),
    hint('/', 'filter', 2),
    hint('f', 'forwards', 3),
    hint('p', 'plugins', 3),
    hint('m', 'matrix', 4),
    hint('l', 'log', 4),
  ],
  peer: [
    hint('c', 'connect'),
    hint('d', 'disconnect', 3),
    hint('n', 'new forward', 3),
    hint('t', '60 s / 10 min', 2),
    hint('esc', 'cancel, back', 0),
  ],
  forwards: [
    hint('a', 'add', 0),
    hint('e', 'edit'),
    hint('d', 'remove'),
    hint('s', 'share', 2),
    hint('/', 'filter', 3),
  ],
  plugins: [
    hint('space', 'on/off', 0),
    hint('enter', 'settings'),
    hint('r', 'reload', 3),
    hint('/', 'filter', 3),
  ],
  nat: [hint('r', 'measure again', 0), hint('u', 'upnp on', 2), hint('o', 'allow long search', 3)],
  log: [hint('v', 'level', 0), hint('/', 'search', 1), hint('↑↓', 'scroll', 3)],
};

/** Keys of lists, for the help. */
export const LIST_KEYS: readonly KeyHint[] = [
  hint('↑↓ j k', 'move'),
  hint('pgup pgdn', 'a page'),
  hint('g G', 'first, last'),
];

/** Hints that fit into `width` cells, each taking its key, its text and `gap` more; dropped by priority. */
export function fitHints(hints: readonly KeyHint[], width: number, gap = 3): readonly KeyHint[] {
  let kept = hints;
  const size = (): number => kept.reduce((sum, each) => sum + each.key.length + each.text.length + gap, 0);
  while (size() > width && kept.length > 0) {
    const worst = Math.max(...kept.map((each) => each.priority));
    const index = kept.findLastIndex((each) => each.priority === worst);
    kept = kept.filter((_, at) => at !== index);
  }
  return kept;
}
