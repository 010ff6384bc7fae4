import type { EngineState, ForwardState, ShareState } from '@awl/api';
import { Box } from 'ink';
import { useMemo, type ReactNode } from 'react';
import { Section } from '../component/section.tsx';
import { Styled } from '../component/styled.tsx';
import { MARKER_WIDTH, Table, type TableRow } from '../component/table.tsx';
import { useKeys } from '../component/use-keys.ts';
import { useList } from '../component/use-list.ts';
import { placeColumns, shrinkColumns, type Column } from '../model/columns.ts';
import { bareTarget } from '../model/endpoints.ts';
import { useUi } from '../store/context.tsx';
import { clean } from '../text/clean.ts';
import { formatBytes, formatDuration, NONE } from '../text/format.ts';
import type { TextRole } from '../theme.ts';
import type { ScreenProps } from './screen-props.ts';

/** One line of the screen: a forward or a share, under an id of its own. */
export type Entry =
  | { readonly id: string; readonly forward: ForwardState }
  | { readonly id: string; readonly share: ShareState };

const OUT: readonly Column[] = [
  { key: 'listen', title: 'Listens on', min: 18, max: 28, priority: 0 },
  { key: 'peer', title: 'Peer', min: 10, max: 24, priority: 0 },
  { key: 'target', title: 'Target there', min: 14, max: 28, priority: 2 },
  { key: 'protocol', title: '', min: 3, priority: 3 },
  { key: 'state', title: 'State', min: 18, max: 60, priority: 0 },
  { key: 'connections', title: 'Conns', min: 5, priority: 4, align: 'right' },
  { key: 'sent', title: '↑', min: 7, priority: 5, align: 'right' },
  { key: 'received', title: '↓', min: 7, priority: 5, align: 'right' },
];
const IN: readonly Column[] = [
  { key: 'target', title: 'Offers', min: 18, max: 28, priority: 0 },
  { key: 'protocol', title: '', min: 3, priority: 3 },
  { key: 'tickets', title: 'Tickets', min: 24, max: 70, priority: 0 },
  { key: 'connections', title: 'Conns', min: 5, priority: 4, align: 'right' },
  { key: 'sent', title: '↑', min: 7, priority: 5, align: 'right' },
  { key: 'received', title: '↓', min: 7, priority: 5, align: 'right' },
];
const TICKETS_SHOWN = 2;
const STATE_ROLES: { readonly [S in ForwardState['status']]: TextRole } = {
  listening: 'ok',
  waiting: 'muted',
  failed: 'bad',
};

function traffic(state: {
  readonly connections: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}): { readonly [column: string]: string } {
  return {
    connections: String(state.connections),
    sent: formatBytes(state.sentBytes),
    received: formatBytes(state.receivedBytes),
  };
}

function forwardRow(id: string, forward: ForwardState, peers: EngineState['peers']): TableRow {
  const why = forward.reason ?? forward.code;
  const state =
    forward.status === 'failed' && why !== undefined
      ? `failed: ${clean(why)}`
      : forward.status === 'waiting'
        ? 'waits for the peer'
        : forward.status;
  return {
    id,
    cells: {
      listen: clean(forward.listen),
      peer: clean(peers[forward.peer]?.name ?? forward.peer),
      target: forward.target === undefined ? 'what they share' : clean(bareTarget(forward.target)),
      protocol: forward.protocol,
      state,
      ...traffic(forward),
    },
    roles: { state: STATE_ROLES[forward.status], target: forward.target === undefined ? 'muted' : 'normal' },
  };
}

function shareRow(id: string, share: ShareState, now: number): TableRow {
  const open = share.tickets.filter((ticket) => ticket.expiresAt > now && ticket.usesLeft !== 0);
  const soonest = open.length === 0 ? undefined : Math.min(...open.map((ticket) => ticket.expiresAt));
  const tickets =
    soonest === undefined
      ? share.tickets.length === 0
        ? NONE
        : 'all used up or expired'
      : `${open.length} open, ${formatDuration(soonest - now)} left`;
  return {
    id,
    cells: { target: clean(bareTarget(share.target)), protocol: share.protocol, tickets, ...traffic(share) },
    roles: { tickets: soonest === undefined ? 'muted' : 'normal' },
  };
}

/** All forwards, then all shares, as far as they contain `filter`. */
export function listEntries(engine: EngineState, filter: string): readonly Entry[] {
  const wanted = filter.trim().toLowerCase();
  const has = (...texts: readonly (string | undefined)[]): boolean =>
    wanted === '' || texts.some((text) => text?.toLowerCase().includes(wanted));
  const forwards = Object.values(engine.forwards).filter((forward) =>
    has(forward.listen, forward.target, engine.peers[forward.peer]?.name),
  );
  const shares = Object.values(engine.shares).filter((share) => has(share.target));
  return [
    ...forwards.map((forward) => ({ id: `f:${forward.id}`, forward })),
    ...shares.map((share) => ({ id: `s:${share.id}`, share })),
  ];
}

/** Services of others that are reached through local ports, and services that others may use. */
export function ForwardsScreen(props: ScreenProps): ReactNode {
  const { engine, now, columns, rows, isActive, isStale } = props;
  const [ui, dispatch] = useUi();
  const filter = ui.filters.forwards ?? '';
  const entries = useMemo(() => listEntries(engine, filter), [engine, filter]);
  const list = useList('forwards', entries, rows - 8, isActive);
  const { selected } = list;

  useKeys((input, key) => {
    if (input === 'a') dispatch({ type: 'overlay', overlay: { kind: 'forward' } });
    if (input === 's') dispatch({ type: 'overlay', overlay: { kind: 'share' } });
    if (!selected) return;
    if ((input === 'e' || key.return) && 'forward' in selected)
      dispatch({ type: 'overlay', overlay: { kind: 'forward', id: selected.forward.id } });
    if (input === 'd' || key.delete) {
      const [what, id, label] =
        'forward' in selected
          ? (['forward', selected.forward.id, selected.forward.listen] as const)
          : (['share', selected.share.id, selected.share.target] as const);
      dispatch({ type: 'overlay', overlay: { kind: 'remove', what, id, label: clean(label) } });
    }
  }, isActive);

  const width = columns - 2 - MARKER_WIDTH;
  const forwards = list.visible.flatMap((entry) =>
    'forward' in entry ? [forwardRow(entry.id, entry.forward, engine.peers)] : [],
  );
  const shares = list.visible.flatMap((entry) =>
    'share' in entry ? [shareRow(entry.id, entry.share, now)] : [],
  );
  const none = filter === '' ? '' : `, none matches "${clean(filter)}"`;
  return (
    <Box flexDirection="column" paddingX={1} gap={1} height={rows} overflow="hidden">
      <Section
        title="Out"
        note={`local ports that lead to a service of a peer (${Object.keys(engine.forwards).length})${forwards.length === 0 ? none : ''}`}
      >
        {forwards.length > 0 ? (
          <Table
            columns={placeColumns(shrinkColumns(OUT, forwards), width)}
            rows={forwards}
            selected={selected?.id}
            isStale={isStale}
          />
        ) : (
          filter === '' && <Styled role="muted">None. Press a to add one.</Styled>
        )}
      </Section>
      <Section
        title="In"
        note={`services here that others may use (${Object.keys(engine.shares).length})${shares.length === 0 ? none : ''}`}
      >
        {shares.length > 0 ? (
          <Table
            columns={placeColumns(shrinkColumns(IN, shares), width)}
            rows={shares}
            selected={selected?.id}
            isStale={isStale}
          />
        ) : (
          filter === '' && <Styled role="muted">None. Press s to share one.</Styled>
        )}
      </Section>
      {selected && 'share' in selected && <Tickets share={selected.share} now={now} />}
    </Box>
  );
}

/** The open tickets of a share whose text is still known, whole, so that they can be copied. */
function Tickets(props: { readonly share: ShareState; readonly now: number }): ReactNode {
  const open = props.share.tickets.filter(
    ({ ticket, expiresAt, usesLeft }) => ticket !== undefined && expiresAt > props.now && usesLeft !== 0,
  );
  return open.slice(0, TICKETS_SHOWN).map(({ id, ticket = '', expiresAt }) => (
    <Section
      key={id}
      title="Ticket"
      note={`for awl connect on the other machine, ${formatDuration(expiresAt - props.now)} left`}
    >
      <Styled wrap="hard">{clean(ticket)}</Styled>
    </Section>
  ));
}
