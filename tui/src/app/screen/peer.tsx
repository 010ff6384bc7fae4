import type { EngineState, PeerState } from '@awl/api';
import { Box } from 'ink';
import { useMemo, type ReactNode } from 'react';
import { Styled } from '../component/styled.tsx';
import { useKeys } from '../component/use-keys.ts';
import { listPeers, pathWords, statusRole, statusWord } from '../model/peers.ts';
import { useServices, useUi } from '../store/context.tsx';
import { clean } from '../text/clean.ts';
import {
  formatAge,
  formatBytes,
  formatDuration,
  formatRate,
  formatRatio,
  NONE,
  shortId,
} from '../text/format.ts';
import { Candidates, Paths, Trace } from './peer-details.tsx';
import { RaceTable } from './race-table.tsx';
import type { ScreenProps } from './screen-props.ts';
import { Throughput } from './throughput.tsx';

/** The peer that the screen shows: the opened one, else the one under the cursor, else the first. */
export function shownPeer(
  peers: EngineState['peers'],
  opened: string | undefined,
  cursor: string | undefined,
): PeerState | undefined {
  return peers[opened ?? ''] ?? peers[cursor ?? ''] ?? listPeers(peers)[0];
}

function figures(peer: PeerState): string {
  const { path } = peer;
  const parts = [
    `RTT ${path?.rttMs === undefined ? NONE : formatDuration(path.rttMs)}`,
    `loss ${path?.lossRatio === undefined ? NONE : formatRatio(path.lossRatio)}`,
    `↑ ${formatRate(peer.sendRateBps)} (${formatBytes(peer.sentBytes)} in all)`,
    `↓ ${formatRate(peer.receiveRateBps)} (${formatBytes(peer.receivedBytes)})`,
    `${peer.streams} ${peer.streams === 1 ? 'stream' : 'streams'}`,
  ];
  return parts.join(' · ');
}

function Summary(props: {
  readonly peer: PeerState;
  readonly now: number;
  readonly isStale: boolean;
}): ReactNode {
  const { peer, now, isStale } = props;
  const isLive = peer.status === 'connected' && peer.path;
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Box>
        <Styled isBold>{clean(peer.name) || NONE}</Styled>
        <Styled role="muted">{` · ${shortId(clean(peer.id))} · `}</Styled>
        <Styled role={isStale ? 'muted' : statusRole(peer.status)}>{statusWord(peer.status)}</Styled>
        {isLive && peer.path && <Styled>{` · ${pathWords(peer.path)}`}</Styled>}
        {peer.status === 'offline' && (
          <Styled role="muted">
            {peer.seenAt === undefined ? ' · never seen' : ` · seen ${formatAge(peer.seenAt, now)}`}
          </Styled>
        )}
        {!peer.remembered && <Styled role="muted"> · needs its password or a ticket</Styled>}
      </Box>
      {isLive ? (
        <Styled role={isStale ? 'muted' : 'normal'}>{figures(peer)}</Styled>
      ) : (
        peer.code !== undefined && (
          <Box flexDirection="column">
            <Styled
              role={peer.status === 'online' ? 'muted' : 'bad'}
            >{`Why: ${clean(peer.reason ?? peer.code)} (${clean(peer.code)})`}</Styled>
            {peer.remedy !== undefined && (
              <Styled role="accent">{`What helps: ${clean(peer.remedy)}`}</Styled>
            )}
          </Box>
        )
      )}
    </Box>
  );
}

/** One peer: how it is reached, the race as it runs, and the decisions afterwards with their causes. */
export function PeerScreen(props: ScreenProps): ReactNode {
  const { engine, now, columns, rows, isActive, isStale } = props;
  const [ui, dispatch] = useUi();
  const { commander } = useServices();
  const peer = useMemo(
    () => shownPeer(engine.peers, ui.peer, ui.cursors['peers']),
    [engine.peers, ui.peer, ui.cursors],
  );
  const attempt = peer?.attempt === undefined ? undefined : engine.attempts[peer.attempt];
  const isRunning = attempt?.status === 'punching' || attempt?.status === 'signalling';

  useKeys((input, key) => {
    if (input === 'c' && !key.ctrl)
      dispatch({ type: 'overlay', overlay: { kind: 'connect', ...(peer ? { peer: peer.id } : {}) } });
    if (!peer || key.ctrl) return;
    if (key.escape && !commander.isBusy) {
      if (isRunning && attempt)
        void commander.run({
          name: 'attempt.cancel',
          params: { attempt: attempt.id },
          doing: 'Cancelling',
          done: 'Attempt cancelled',
        });
      else dispatch({ type: 'screen', screen: 'overview' });
    }
    if (input === 't') dispatch({ type: 'range' });
    if (input === 'n') dispatch({ type: 'overlay', overlay: { kind: 'forward', peer: peer.id } });
    if (input === 'd')
      void commander.run({
        name: 'peer.disconnect',
        params: { peer: peer.id },
        doing: `Disconnecting ${clean(peer.name)}`,
        done: `${clean(peer.name)} is disconnected`,
      });
  }, isActive);

  if (!peer) {
    return (
      <Box padding={1}>
        <Styled role="muted">No peer yet. Press c to connect to one.</Styled>
      </Box>
    );
  }
  const width = columns - 2;
  const raceRows = attempt ? Math.min(attempt.race.length, isRunning || !peer.path ? 12 : 3) + 2 : 0;
  const chartRows = peer.status === 'connected' ? (rows >= 30 ? 6 : 4) : 0;
  const pathRows =
    peer.pathHistory.length > 0 || peer.path
      ? Math.min(peer.pathHistory.length + 1, rows >= 30 ? 6 : 3) + 1
      : 0;
  const isRoomy = rows >= 28;
  const candidateRows = attempt && isRoomy ? 4 : 0;
  const rest = rows - 4 - raceRows - (chartRows > 0 ? chartRows + 2 : 0) - pathRows - candidateRows - 1;
  return (
    <Box flexDirection="column" paddingX={1} gap={1} height={rows} overflow="hidden">
      <Summary peer={peer} now={now} isStale={isStale} />
      {chartRows > 0 && (
        <Throughput
          values={peer.throughput}
          rangeS={ui.rangeS}
          width={width}
          height={chartRows}
          isStale={isStale}
        />
      )}
      {attempt && (
        <RaceTable
          attempt={attempt}
          now={now}
          width={width}
          limit={Math.max(1, raceRows - 2)}
          isStale={isStale}
        />
      )}
      {pathRows > 0 && <Paths peer={peer} now={now} limit={pathRows - 1} />}
      {attempt && attempt.trace.length > 0 && rest >= 2 && <Trace attempt={attempt} limit={rest - 1} />}
      {attempt && isRoomy && <Candidates attempt={attempt} width={width} limit={3} />}
      {!attempt && !peer.path && <Styled role="muted">Nothing was tried yet. Press c to connect.</Styled>}
    </Box>
  );
}
