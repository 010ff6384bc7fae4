import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../app/text/format.ts';
import { requireNode } from '../node-access.ts';
import { safe } from '../output.ts';
import type { CommandModule } from '../spec.ts';
import { numberOf } from '../values.ts';

const EVERY_MS = 1000;

export const run: CommandModule['run'] = async (context, [peer = ''], options) => {
  const { output, signal } = context;
  const count = numberOf(options, 'count', 1, 1_000_000) ?? 4;
  await using client = await requireNode(context);
  for (let sequence = 1; sequence <= count; sequence += 1) {
    const { rttMs, path } = await client.command('peer.ping', { peer }, signal);
    output.event('ping', { sequence, rttMs, path });
    output.line(safe(`${peer}: ${formatDuration(rttMs)} by ${path}`));
    if (sequence < count) await sleep(EVERY_MS, undefined, { signal });
  }
};
