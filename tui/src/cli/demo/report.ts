import type { NodeEvent } from '@awl/node/client';
import { natWords } from '../../app/model/nat-words.ts';
import { formatBytes, formatDuration, formatRate } from '../../app/text/format.ts';
import type { Output } from '../output.ts';
import { printTable } from '../table.ts';

export interface DemoResult {
  readonly url: string;
  readonly events: readonly NodeEvent[];
  readonly receivedBytes: number;
  readonly ms: number;
  readonly checksum: string;
  readonly intact: boolean;
}

/** What happened, in one table. */
export function printReport(output: Output, result: DemoResult): void {
  const rows: [string, string][] = [['Rendezvous', result.url.replace(/#.*/, '')]];
  for (const seen of result.events) {
    const row = rowOf(seen);
    if (row) rows.push(row);
  }
  const rate = formatRate((result.receivedBytes / Math.max(1, result.ms)) * 1000);
  rows.push(
    ['Transfer', `${formatBytes(result.receivedBytes)} in ${formatDuration(result.ms)}, ${rate}`],
    ['SHA-256', `${result.checksum.slice(0, 16)}… ${result.intact ? 'as sent' : 'NOT AS SENT'}`],
  );
  output.line();
  printTable(output, [{ title: 'What' }, { title: 'Result' }], rows);
}

function rowOf(seen: NodeEvent): [string, string] | undefined {
  if (seen.event === 'nat.behaviour') return ['NAT (UDP)', natWords(seen.udp).text];
  if (seen.event === 'signal.agreed') return ['Plan', seen.plan.join(', ')];
  if (seen.event === 'attempt.ended') {
    return [
      seen.strategy,
      `${seen.outcome} after ${formatDuration(seen.ms)}${seen.reason ? `, ${seen.reason}` : ''}`,
    ];
  }
  if (seen.event === 'path.selected') {
    return ['Path', `${seen.kind} by ${seen.strategy}, ${seen.transport}, ${formatDuration(seen.rttMs)}`];
  }
  return undefined;
}
