import { KINDS, type KindName } from '../network/kinds.ts';
import type { Cell } from './cell.ts';

/** The cells as Markdown: one table for each transport, then the kinds, then what misses its goal. */
export function renderMatrix(cells: readonly Cell[]): string {
  const parts: string[] = [];
  for (const transport of ['udp', 'tcp'] as const) {
    const own = cells.filter((cell) => cell.transport === transport);
    if (own.length > 0) parts.push(`### ${transport.toUpperCase()}`, table(own));
  }
  const missed = cells.filter((cell) => cell.missed.length > 0);
  parts.push('### Under their goal', missed.length === 0 ? 'None.' : missed.map(missedLine).join('\n'));
  return parts.join('\n\n');
}

/** The kinds with their titles, as Markdown. */
export function renderKinds(): string {
  const rows = Object.entries(KINDS).map(([name, { title }]) => `| ${name} | ${title} |`);
  return ['| kind | network |', '|---|---|', ...rows].join('\n');
}

function table(cells: readonly Cell[]): string {
  const rows = [...new Set(cells.map(({ local }) => local))];
  const columns = [...new Set(cells.map(({ remote }) => remote))];
  const at = new Map(cells.map((cell) => [`${cell.local} ${cell.remote}`, cell]));
  const line = (local: KindName): string =>
    `| **${local}** | ${columns.map((remote) => text(at.get(`${local} ${remote}`))).join(' | ')} |`;
  return [
    `| | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---').join('|')}|`,
    ...rows.map(line),
  ].join('\n');
}

function text(cell: Cell | undefined): string {
  if (!cell) return '';
  const { successRatio, medianMs, p95Ms, probes, goal, missed } = cell;
  if (successRatio === 0) return goal.reach === 'direct' ? '**none**' : '–';
  const share = successRatio === 1 ? '' : `${Math.round(successRatio * 100)} % `;
  const figures = `${share}${duration(medianMs)}/${duration(p95Ms)} ${probes}p`;
  return missed.length > 0 ? `**${figures}**` : figures;
}

function duration(ms: number | undefined): string {
  if (ms === undefined) return '–';
  return ms < 1000 ? `${Math.round(ms)}` : `${(ms / 1000).toFixed(1)}s`;
}

function missedLine({ local, remote, transport, missed, strategies, codes, failedSeeds }: Cell): string {
  const seeds = failedSeeds.length > 0 ? `; seeds ${failedSeeds.slice(0, 5).join(', ')}` : '';
  const who = [...strategies, ...codes].join(', ');
  return `- ${local} × ${remote}, ${transport}: ${missed.join('; ')} (${who || 'no strategy'}${seeds})`;
}
