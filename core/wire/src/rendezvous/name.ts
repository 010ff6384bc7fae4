import { isPeerId } from '../certificate.ts';

const NAME = /^[A-Za-z0-9_-]{1,63}$/;

/** 1 to 63 letters, digits, hyphens or underscores, and nothing that could be taken for a peer id. */
export function isPeerName(text: string): boolean {
  return NAME.test(text) && !isPeerId(text.toLowerCase());
}

/** What names are compared by: `Home` and `home` are one name. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}
