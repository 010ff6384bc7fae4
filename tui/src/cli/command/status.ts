import type { EngineState, PeerState } from '@awl/api';
import { AwlError } from '@awl/wire';
import { natWords } from '../../app/model/nat-words.ts';
import { formatDuration, formatRatio } from '../../app/text/format.ts';
import { requireNode } from '../node-access.ts';
import { safe, type Output } from '../output.ts';
import type { CommandModule } from '../spec.ts';
import { printTable } from '../table.ts';

export const run: CommandModule['run'] = async (context, [peer]) => {
  await using client = await requireNode(context);
  const { state } = await client.snapshot();
  if (peer === undefined) printNode(context.output, state);
  else printPeer(context.output, state, findPeer(state, peer));
};

function findPeer(state: EngineState, nameOrId: string): PeerState {
  const found = Object.values(state.peers).find(({ id, name }) => id === nameOrId || name === nameOrId);
  if (!found) throw new AwlError('ERR_PEER_UNKNOWN', `Nobody called ${nameOrId} is known.`);
  return found;
}

function printNode(output: Output, { node, rendezvous, nat, peers, shares, forwards }: EngineState): void {
  const connected = Object.values(peers).filter(({ status }) => status === 'connected').length;
  const counts = {
    peers: Object.keys(peers).length,
    connected,
    shares: Object.keys(shares).length,
    forwards: Object.keys(forwards).length,
  };
  const { evidence: _evidence, ...natShown } = nat;
  output.object({ node, rendezvous, nat: natShown, ...counts });
  const rtt = rendezvous.rttMs === undefined ? '' : `, ${formatDuration(rendezvous.rttMs)}`;
  const why = rendezvous.code === undefined ? '' : `: ${rendezvous.reason ?? ''} (${rendezvous.code})`;
  output.line(safe(`Node        ${node.name}, ${node.peerId}, awl ${node.version}`));
  output.line(safe(`Up          ${formatDuration(Date.now() - node.startedAt)}`));
  output.line(safe(`Rendezvous  ${rendezvous.url} ${rendezvous.status}${rtt}${why}`));
  output.line(safe(`UDP         ${natWords(nat.behaviour.udp).text}`));
  output.line(safe(`TCP         ${natWords(nat.behaviour.tcp).text}`));
  output.line(`Peers       ${counts.peers} known, ${connected} connected`);
  output.line(`Services    ${counts.shares} shared, ${counts.forwards} forwards`);
}

function printPeer(output: Output, state: EngineState, peer: PeerState): void {
  const attempt = peer.attempt === undefined ? undefined : state.attempts[peer.attempt];
  output.object({ peer, attempt: attempt ?? null });
  const path = peer.path ? `, ${peer.path.kind} by ${peer.path.strategy} over ${peer.path.transport}` : '';
  output.line(safe(`${peer.name || peer.id}: ${peer.status}${path}`));
  if (peer.code !== undefined) output.line(safe(`${peer.reason ?? ''} (${peer.code}) ${peer.remedy ?? ''}`));
  if (!attempt) return;
  output.line();
  printTable(
    output,
    ['Strategy', 'Chance', 'State', 'Probes', 'Took', 'Why'].map((title) => ({ title })),
    attempt.race.map((row) => [
      row.strategy,
      row.assessment ? formatRatio(row.assessment.likelihood) : '–',
      row.status,
      `${row.probesSent} / ${row.probesBudget}`,
      row.tookMs === undefined ? '–' : formatDuration(row.tookMs),
      row.reason ?? row.assessment?.reason ?? '',
    ]),
  );
  output.line();
  for (const { at, step, text } of attempt.trace) {
    output.line(safe(`${formatDuration(at - attempt.startedAt).padStart(8)}  ${step.padEnd(9)} ${text}`));
  }
}
