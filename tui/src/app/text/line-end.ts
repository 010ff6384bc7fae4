/** True where a paste, or an enter typed too fast to come by itself, brought a line end along: it means what enter means. */
export function hasLineEnd(text: string): boolean {
  return /[\r\n]/.test(text);
}

/** The text in one line. */
export function withoutLineEnds(text: string): string {
  return text.replaceAll(/[\r\n]+/g, '');
}
