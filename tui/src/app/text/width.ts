import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';

/** Where a text stands in a cell that is wider. */
export type Align = 'left' | 'right';

const ascii = /^[\x20-\x7e]*$/;

/** Width in terminal cells. */
export function widthOf(text: string): number {
  return ascii.test(text) ? text.length : stringWidth(text);
}

/** Cut to at most `width` cells, with an ellipsis where something is missing. */
export function cut(text: string, width: number): string {
  if (width <= 0) return '';
  if (widthOf(text) <= width) return text;
  return ascii.test(text) ? `${text.slice(0, width - 1)}…` : cliTruncate(text, width);
}

/** Exactly `width` cells: cut or filled with spaces. */
export function fit(text: string, width: number, align: Align = 'left'): string {
  const short = cut(text, width);
  const fill = ' '.repeat(Math.max(0, width - widthOf(short)));
  return align === 'left' ? short + fill : fill + short;
}

/** Lines of at most `width` cells, broken at spaces where possible; at most `limit` lines, the last one cut. */
export function wrapText(text: string, width: number, limit = 20): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || widthOf(longer) <= width) line = longer;
    else {
      lines.push(cut(line, width));
      line = word;
    }
  }
  lines.push(line);
  if (lines.length <= limit) return lines.map((each) => cut(each, width));
  return [...lines.slice(0, limit - 1), cut(lines.slice(limit - 1).join(' '), width)];
}
