import type { TextProps } from 'ink';

/** What a text means; its look follows from that, and the words say the same without colour. */
export type TextRole = 'normal' | 'title' | 'ok' | 'warn' | 'bad' | 'muted' | 'accent' | 'selected';

/** How a text of each role looks. */
export type Theme = { readonly [Role in TextRole]: Pick<TextProps, 'color' | 'bold' | 'dimColor'> };

/** Mid-tones that stand out on dark and on light backgrounds alike; a test measures their contrast. */
export const COLOURS = {
  ok: '#2b8a3e',
  warn: '#b06c00',
  bad: '#e03131',
  muted: '#7c848b',
  accent: '#1c7ed6',
} as const;

const coloured: Theme = {
  normal: {},
  title: { bold: true },
  ok: { color: COLOURS.ok },
  warn: { color: COLOURS.warn },
  bad: { color: COLOURS.bad },
  muted: { color: COLOURS.muted },
  accent: { color: COLOURS.accent },
  selected: { bold: true },
};

const plain: Theme = {
  normal: {},
  title: { bold: true },
  ok: {},
  warn: { bold: true },
  bad: { bold: true },
  muted: { dimColor: true },
  accent: { bold: true },
  selected: { bold: true },
};

/** The theme: without colours where the user said so (https://no-color.org: any value that is not empty). */
export function themeFor(hasColour: boolean): Theme {
  return hasColour ? coloured : plain;
}
