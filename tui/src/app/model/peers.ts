import type { AttemptState, EngineState, PathState, PeerState, PeerStatus } from '@awl/api';
import type { TextRole } from '../theme.ts';
import { clean } from '../text/clean.ts';
import {
  formatAge,
  formatDuration,
  formatRate,
  formatRatio,
  formatSeconds,
  NONE,
  strategyName,
} from '../text/format.ts';
import { sparkline } from '../text/sparkline.ts';

/** Peers that matter most come first; within a state by name, so that rows keep their places. */
const ORDER: { readonly [S in PeerStatus]: number } = {
  connected: 0,
  reconnecting: 1,
  punching: 2,
  connecting: 3,
  'no-path': 4,
  refused: 5,
  online: 6,
  offline: 7,
};

const WORDS: { readonly [S in PeerStatus]: string } = {
  connected: 'connected',
  reconnecting: 'reconnecting',
  punching: 'punching',
  connecting: 'connecting',
  'no-path': 'no path',
  refused: 'refused',
  online: 'online',
  offline: 'offline',
};

const ROLES: { readonly [S in PeerStatus]: TextRole } = {
  connected: 'ok',
  reconnecting: 'warn',
  punching: 'accent',
  connecting: 'accent',
  'no-path': 'bad',
  refused: 'bad',
  online: 'normal',
  offline: 'muted',
};

/** The state of a peer in a word. */
export function statusWord(status: PeerStatus): string {
  return WORDS[status];
}

/** The role of a peer's state. */
export function statusRole(status: PeerStatus): TextRole {
  return ROLES[status];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Peers whose name, id or state contains `filter`, in the order of the screen. */
export function listPeers(peers: EngineState['peers'], filter = ''): readonly PeerState[] {
  const wanted = filter.trim().toLowerCase();
  const all = Object.values(peers);
  const found =
    wanted === ''
      ? all
      : all.filter((peer) => `${peer.name} ${peer.id} ${WORDS[peer.status]}`.toLowerCase().includes(wanted));
  return found.sort(
    (a, b) => ORDER[a.status] - ORDER[b.status] || compare(a.name, b.name) || compare(a.id, b.id),
  );
}

/** `direct · udp/kcp`, `lan`. */
export function pathWords(path: PathState): string {
  return path.kind === 'lan' ? `lan · ${clean(path.transport)}` : `${path.kind} · ${clean(path.transport)}`;
}

/** A row of the peers table: text by column, and where one text takes the place of all columns from one on. */
export interface PeerRow {
  readonly cells: { readonly [column: string]: string };
  readonly roles: { readonly [column: string]: TextRole };
  readonly span?: string;
}

/** `udp-birthday 41 %`: what an attempt does just now. */
export function raceWords(attempt: AttemptState | undefined): {
  readonly text: string;
  readonly eta: string;
} {
  const running = attempt?.race.find((row) => row.status === 'running');
  if (!attempt || !running)
    return { text: attempt?.status === 'signalling' ? 'agreeing on a start' : 'starting', eta: '' };
  const { progress } = running;
  const done = progress && progress.of > 0 ? ` ${formatRatio(progress.done / progress.of)}` : '';
  const eta = progress?.etaMs === undefined ? '' : `ETA ≈ ${formatSeconds(progress.etaMs)}`;
  return { text: `${strategyName(clean(running.strategy))}${done}`, eta };
}

/** A peer as a row, with `trendWidth` cells for the sparkline. */
export function peerRow(
  peer: PeerState,
  attempts: EngineState['attempts'],
  now: number,
  trendWidth: number,
): PeerRow {
  const state = statusWord(peer.status);
  const base = { name: clean(peer.name) || NONE, state };
  const roles = { state: statusRole(peer.status) };
  const { path } = peer;
  if (peer.status === 'connected' && path) {
    return {
      cells: {
        ...base,
        path: pathWords(path),
        rtt: path.rttMs === undefined ? NONE : formatDuration(path.rttMs),
        loss: path.lossRatio === undefined ? NONE : formatRatio(path.lossRatio),
        up: formatRate(peer.sendRateBps),
        down: formatRate(peer.receiveRateBps),
        trend: sparkline(
          peer.throughput.slice(-60),
          trendWidth,
          Math.max(1, Math.ceil(60 / Math.max(1, trendWidth))),
        ).padStart(trendWidth),
      },
      roles: {
        ...roles,
        trend: 'accent',
        rtt: 'normal',
        ...(path.kind === 'relay' ? { path: 'warn' as const } : {}),
      },
    };
  }
  if (peer.status === 'punching' || peer.status === 'connecting') {
    const race = raceWords(peer.attempt === undefined ? undefined : attempts[peer.attempt]);
    return {
      cells: { ...base, path: race.text, rtt: NONE, loss: NONE, up: NONE, down: NONE, trend: race.eta },
      roles: {
        ...roles,
        path: 'accent',
        trend: 'muted',
        rtt: 'muted',
        loss: 'muted',
        up: 'muted',
        down: 'muted',
      },
    };
  }
  if (peer.status === 'reconnecting') {
    const age = path?.until === undefined ? '' : `, figures are ${formatDuration(now - path.until)} old`;
    return {
      cells: { ...base, path: `was ${path ? pathWords(path) : 'connected'}${age}` },
      roles: { ...roles, path: 'muted' },
      span: 'path',
    };
  }
  if (peer.code !== undefined && peer.status !== 'offline') {
    const why = [peer.reason ?? peer.code, peer.remedy]
      .filter((part) => part !== undefined)
      .map(clean)
      .join(': ');
    return {
      cells: { ...base, path: why },
      roles: { ...roles, path: peer.status === 'online' ? 'muted' : 'normal' },
      span: 'path',
    };
  }
  const seen = peer.seenAt === undefined ? 'never seen' : `seen ${formatAge(peer.seenAt, now)}`;
  const online = peer.remembered ? 'press c to connect' : 'press c to connect with its password';
  return {
    cells: { ...base, path: peer.status === 'online' ? online : seen },
    roles: { ...roles, name: peer.status === 'offline' ? 'muted' : 'normal', path: 'muted' },
    span: 'path',
  };
}

/** Bytes per second of all peers together. */
export function totalRates(peers: EngineState['peers']): {
  readonly sendBps: number;
  readonly receiveBps: number;
} {
  let sendBps = 0;
  let receiveBps = 0;
  for (const peer of Object.values(peers)) {
    if (peer.status !== 'connected') continue;
    sendBps += peer.sendRateBps;
    receiveBps += peer.receiveRateBps;
  }
  return { sendBps, receiveBps };
}
