import type { PeerState } from '@awl/api';
import { formatDuration, formatRate, NONE } from '../../app/text/format.ts';
import { shortPeer } from '../event-lines.ts';
import { requireNode } from '../node-access.ts';
import type { CommandModule } from '../spec.ts';
import { printTable } from '../table.ts';

const COLUMNS = [
  { title: 'Peer' },
  { title: 'Id' },
  { title: 'State' },
  { title: 'Path' },
  { title: 'RTT', align: 'right' },
  { title: '↑', align: 'right' },
  { title: '↓', align: 'right' },
] as const;

export const run: CommandModule['run'] = async (context) => {
  const { output } = context;
  await using client = await requireNode(context);
  const { state } = await client.snapshot();
  const peers = Object.values(state.peers).sort((a, b) => a.name.localeCompare(b.name));
  output.object({ peers: peers.map(({ throughput: _series, ...peer }) => peer) });
  if (peers.length === 0) output.line('Nobody is known yet. Start awl on another machine, or use a ticket.');
  else printTable(output, COLUMNS, peers.map(rowOf));
};

function rowOf(peer: PeerState): readonly string[] {
  const { path } = peer;
  return [
    peer.name || NONE,
    shortPeer(peer.id),
    peer.code === undefined ? peer.status : `${peer.status} (${peer.code})`,
    path ? `${path.kind} · ${path.transport}` : NONE,
    path?.rttMs === undefined ? NONE : formatDuration(path.rttMs),
    path ? formatRate(peer.sendRateBps) : NONE,
    path ? formatRate(peer.receiveRateBps) : NONE,
  ];
}
