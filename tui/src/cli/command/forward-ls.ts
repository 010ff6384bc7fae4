import { formatBytes } from '../../app/text/format.ts';
import { shortPeer } from '../event-lines.ts';
import { requireNode } from '../node-access.ts';
import type { CommandModule } from '../spec.ts';
import { printTable } from '../table.ts';

export const run: CommandModule['run'] = async (context) => {
  const { output } = context;
  await using client = await requireNode(context);
  const { state } = await client.snapshot();
  const forwards = Object.values(state.forwards);
  // A ticket is a key to its share, and a list is often pasted somewhere.
  const shares = Object.values(state.shares).map(({ tickets, ...share }) => ({
    ...share,
    tickets: tickets.length,
  }));
  output.object({ forwards, shares });
  const columns = [
    'Id',
    'Direction',
    'Listens / target',
    'Peer',
    'Protocol',
    'State',
    'Connections',
    'Bytes',
  ];
  const nameOf = (peer: string): string => state.peers[peer]?.name || shortPeer(peer);
  const rows = [
    ...forwards.map((forward) => [
      forward.id,
      'out',
      forward.target === undefined ? forward.listen : `${forward.listen} → ${forward.target}`,
      nameOf(forward.peer),
      forward.protocol,
      forward.code ?? forward.status,
      String(forward.connections),
      formatBytes(forward.sentBytes + forward.receivedBytes),
    ]),
    ...shares.map((share) => [
      share.id,
      'in',
      share.target,
      `${share.tickets} tickets`,
      share.protocol,
      'shared',
      String(share.connections),
      formatBytes(share.sentBytes + share.receivedBytes),
    ]),
  ];
  if (rows.length === 0)
    output.line('No forwards and no shares. Add one: `awl forward add PEER --listen :8585`.');
  else
    printTable(
      output,
      columns.map((title) => ({ title })),
      rows,
    );
};
