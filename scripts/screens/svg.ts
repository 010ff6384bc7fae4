import type { IBufferCell, Terminal } from '@xterm/headless';

/** Size of one cell, and the frame around the screen, pixels. */
const [CELL_WIDTH, CELL_HEIGHT, FRAME] = [8.4, 18, 14];
const [BACKGROUND, FOREGROUND] = ['#14161a', '#d5d9e0'];
/** The sixteen colours and the cube of 256, as xterm has them. */
const BASE = [
  '#000000',
  '#cd3131',
  '#0dbc79',
  '#e5e510',
  '#2472c8',
  '#bc3fbc',
  '#11a8cd',
  '#e5e5e5',
  '#666666',
  '#f14c4c',
  '#23d18b',
  '#f5f543',
  '#3b8eea',
  '#d670d6',
  '#29b8db',
  '#ffffff',
];

/** The screen as lines, without trailing spaces. */
export function toText(terminal: Terminal): string {
  const { active } = terminal.buffer;
  const lines = Array.from(
    { length: terminal.rows },
    (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
  );
  return `${lines.join('\n').trimEnd()}\n`;
}

function paletteColour(index: number): string {
  if (index < 16) return BASE[index] ?? FOREGROUND;
  if (index >= 232)
    return `rgb(${Array(3)
      .fill(8 + (index - 232) * 10)
      .join(',')})`;
  const level = (step: number): number => (step === 0 ? 0 : 55 + step * 40);
  const cube = index - 16;
  return `rgb(${level(Math.floor(cube / 36))},${level(Math.floor(cube / 6) % 6)},${level(cube % 6)})`;
}

function colourOf(cell: IBufferCell): string {
  if (cell.isFgRGB()) return `#${cell.getFgColor().toString(16).padStart(6, '0')}`;
  return cell.isFgPalette() ? paletteColour(cell.getFgColor()) : FOREGROUND;
}

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A run of cells that look alike. Each character has its own place, so that columns line up in any font. */
interface Run {
  readonly look: string;
  readonly places: number[];
  text: string;
}

function lookOf(cell: IBufferCell): string {
  const isInverse = cell.isInverse() !== 0;
  const weight = cell.isBold() ? ' font-weight="bold"' : '';
  const dim = cell.isDim() ? ' opacity="0.6"' : '';
  return `fill="${isInverse ? BACKGROUND : colourOf(cell)}"${weight}${dim}`;
}

/** The screen as SVG, with its colours. */
export function toSvg(terminal: Terminal, title: string): string {
  const { active } = terminal.buffer;
  const [width, height] = [terminal.cols * CELL_WIDTH + 2 * FRAME, terminal.rows * CELL_HEIGHT + 2 * FRAME];
  const parts: string[] = [];
  for (let row = 0; row < terminal.rows; row += 1) {
    const line = active.getLine(active.baseY + row);
    const runs: Run[] = [];
    for (let column = 0; column < terminal.cols; column += 1) {
      const cell = line?.getCell(column);
      if (!cell || cell.getWidth() === 0) continue;
      const x = FRAME + column * CELL_WIDTH;
      if (cell.isInverse() !== 0) {
        parts.push(
          `<rect x="${x.toFixed(1)}" y="${FRAME + row * CELL_HEIGHT}" width="${cell.getWidth() * CELL_WIDTH}" height="${CELL_HEIGHT}" fill="${colourOf(cell)}"/>`,
        );
      }
      const text = cell.getChars();
      if (text.trim() === '') continue;
      const look = lookOf(cell);
      const last = runs.at(-1);
      const run = last?.look === look ? last : { look, places: [], text: '' };
      if (run !== last) runs.push(run);
      run.places.push(x, ...Array.from({ length: text.length - 1 }, () => x));
      run.text += text;
    }
    const y = FRAME + row * CELL_HEIGHT + CELL_HEIGHT * 0.74;
    for (const { look, places, text } of runs)
      parts.push(
        `<text ${look} y="${y.toFixed(1)}" x="${places.map((x) => x.toFixed(1)).join(' ')}">${escapeXml(text)}</text>`,
      );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width.toFixed(0)}" height="${height}" viewBox="0 0 ${width.toFixed(0)} ${height}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">
<title>awl: ${escapeXml(title)}</title>
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
${parts.join('\n')}
</svg>
`;
}
