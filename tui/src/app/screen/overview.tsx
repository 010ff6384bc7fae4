import type { EngineState } from '@awl/api';
import { Box } from 'ink';
import { useMemo, type ReactNode } from 'react';
import { Divider } from '../component/divider.tsx';
import { LogLines } from '../component/log-lines.tsx';
import { Styled } from '../component/styled.tsx';
import { MARKER_WIDTH, Table } from '../component/table.tsx';
import { useKeys } from '../component/use-keys.ts';
import { useList } from '../component/use-list.ts';
import { placeColumns, type Column } from '../model/columns.ts';
import { listPeers, peerRow } from '../model/peers.ts';
import { summarizeReach } from '../model/reach-summary.ts';
import { useServices, useUi } from '../store/context.tsx';
import { clean } from '../text/clean.ts';
import { coarse } from '../text/format.ts';
import { NatPanel } from './nat-panel.tsx';
import { ReachBar, ReachPanel } from './reach-panel.tsx';
import type { ScreenProps } from './screen-props.ts';
import { useNatKeys } from './use-nat-keys.ts';

const PEER_COLUMNS: readonly Column[] = [
  { key: 'name', title: 'Peer', min: 11, max: 28, priority: 0 },
  { key: 'state', title: 'State', min: 12, priority: 0 },
  { key: 'path', title: 'Path', min: 17, max: 34, priority: 0 },
  { key: 'rtt', title: 'RTT', min: 6, priority: 1, align: 'right' },
  { key: 'loss', title: 'Loss', min: 6, priority: 3, align: 'right' },
  { key: 'up', title: '↑', min: 9, priority: 2, align: 'right' },
  { key: 'down', title: '↓', min: 9, priority: 2, align: 'right' },
  { key: 'trend', title: 'Last minute', min: 11, max: 60, priority: 4 },
];

/** What is said in the place of an empty list of peers. */
function emptyWords(engine: EngineState, filter: string): string {
  if (filter !== '') return `No peer matches "${clean(filter)}". Esc clears the filter.`;
  if (engine.rendezvous.status === 'none')
    return 'Nobody here yet. Share a service (3, then s) or connect by ticket (c).';
  return 'Nobody here yet. Start awl on another machine with the same rendezvous, or press c to connect.';
}

/** Who is there, how they are reached, how fast it is; above that, what this network's NAT does. */
export function Overview(props: ScreenProps): ReactNode {
  const { engine, now, columns, rows, isActive, isStale } = props;
  const [ui, dispatch] = useUi();
  const { commander } = useServices();
  const isWide = columns >= 100;
  const panelRows = isWide && rows >= 24 ? 8 : 7;
  const logRows = rows >= 34 ? 4 : rows >= 26 ? 2 : 1;
  const listRows = Math.max(1, rows - panelRows - 2 - logRows);
  const filter = ui.filters.overview ?? '';
  const peers = useMemo(() => listPeers(engine.peers, filter), [engine.peers, filter]);
  const list = useList('peers', peers, listRows, isActive);
  const placed = placeColumns(PEER_COLUMNS, columns - MARKER_WIDTH - 2);
  const trendWidth = placed.find((column) => column.key === 'trend')?.width ?? 0;
  const { nat, plugins } = engine;
  const minute = coarse(now);
  const summary = useMemo(() => summarizeReach({ nat, plugins }, minute), [nat, plugins, minute]);
  const logLines = useMemo(
    () => engine.log.filter((line) => line.level !== 'debug').slice(-logRows),
    [engine.log, logRows],
  );
  useNatKeys(isActive);
  useKeys((input, key) => {
    if (input === 'c')
      dispatch({
        type: 'overlay',
        overlay: { kind: 'connect', ...(list.selected ? { peer: list.selected.id } : {}) },
      });
    if (key.return && list.selected) dispatch({ type: 'open-peer', peer: list.selected.id });
    const attempt =
      list.selected?.status === 'punching' || list.selected?.status === 'connecting'
        ? list.selected.attempt
        : undefined;
    if (key.escape && !commander.isBusy && attempt !== undefined) {
      void commander.run({
        name: 'attempt.cancel',
        params: { attempt },
        doing: 'Cancelling',
        done: 'Attempt cancelled',
      });
    }
  }, isActive);

  return (
    <Box flexDirection="column" height={rows}>
      {isWide ? (
        <Box>
          <NatPanel
            nat={nat}
            now={minute}
            width={Math.ceil(columns / 2)}
            height={panelRows}
            isStale={isStale}
          />
          <ReachPanel
            summary={summary}
            width={Math.floor(columns / 2)}
            height={panelRows}
            isStale={isStale}
          />
        </Box>
      ) : (
        <NatPanel nat={nat} now={minute} width={columns} height={panelRows} isStale={isStale}>
          <Box>
            <Styled role="muted">Reaches directly </Styled>
            <ReachBar summary={summary} isStale={isStale} />
          </Box>
          <Styled role={summary.mappings.length > 0 ? 'ok' : 'muted'}>
            {summary.mappings[0] ?? summary.hints[0] ?? ''}
          </Styled>
        </NatPanel>
      )}
      <Box flexDirection="column" flexGrow={1} paddingX={1} overflow="hidden">
        {peers.length === 0 ? (
          <Styled role="muted" wrap="wrap">
            {emptyWords(engine, filter)}
          </Styled>
        ) : (
          <Table
            columns={placed}
            rows={list.visible.map((peer) => ({
              id: peer.id,
              ...peerRow(peer, engine.attempts, now, trendWidth),
            }))}
            selected={list.selected?.id}
            isStale={isStale}
          />
        )}
      </Box>
      <Divider
        width={columns}
        text={
          list.total > listRows
            ? `${list.top + 1}–${Math.min(list.total, list.top + listRows)} of ${list.total}`
            : ''
        }
      />
      <LogLines lines={logLines} />
    </Box>
  );
}
