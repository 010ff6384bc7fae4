import { FAKE_NOW, fakeClient, type FakeClient } from '@awl/testkit';
import { UNKNOWN_BEHAVIOUR, type Change, type EngineState } from '@awl/api';

/** How a {@link liveClient} behaves. */
export interface LiveOptions {
  readonly peers: number;
  /** Connected peers whose figures move. */
  readonly moving: number;
  /** Nothing moves: for pictures. */
  readonly isStill: boolean;
  /** Names full of escape sequences, wide and invisible characters. */
  readonly isHostile: boolean;
  /** Nobody there, nothing known. */
  readonly isEmpty: boolean;
}

const HOSTILE = [
  '\u001B[31mred\u001B[0m\u001B]0;owned\u0007',
  'of\u202Efice\u200B',
  '日本語のサーバー',
  '👨‍👩‍👧 family',
  'e\u0301e\u0301e\u0301 \u0336z\u0336a\u0336l\u0336g\u0336o',
  'two\nlines\r\ttab',
];

function hostile(state: EngineState): EngineState {
  const peers = Object.values(state.peers).map(
    (peer, index) => [peer.id, { ...peer, name: HOSTILE[index % HOSTILE.length] ?? '' }] as const,
  );
  return { ...state, peers: Object.fromEntries(peers) };
}

function empty(state: EngineState): EngineState {
  const nat = {
    status: 'unknown',
    behaviour: { udp: UNKNOWN_BEHAVIOUR, tcp: UNKNOWN_BEHAVIOUR },
    evidence: [],
    publicAddresses: [],
    mappings: [],
  } as const;
  return {
    ...state,
    rendezvous: { url: '', status: 'none' },
    nat,
    peers: {},
    attempts: {},
    shares: {},
    forwards: {},
    views: {},
    statusItems: {},
    commands: {},
    log: [],
  };
}

/** A fake client whose figures move four times a second, as a real node's do. */
export function liveClient(
  options: LiveOptions,
): Disposable & { readonly client: FakeClient; readonly now: () => number } {
  const started = Date.now();
  const now = options.isStill ? () => FAKE_NOW : () => FAKE_NOW + Date.now() - started;
  const state = options.isHostile ? hostile : options.isEmpty ? empty : undefined;
  const client = fakeClient({ peers: options.peers, ...(state ? { state } : {}) });
  const base = client.state.peers;
  let beat = 0;
  const timer = options.isStill
    ? undefined
    : setInterval(() => client.push(...step(client.state, base, (beat += 1), options.moving)), 250);
  return { client, now, [Symbol.dispose]: () => clearInterval(timer) };
}

function step(
  state: EngineState,
  base: EngineState['peers'],
  beat: number,
  moving: number,
): readonly Change[] {
  const changes: Change[] = [];
  for (const peer of Object.values(state.peers)) {
    if (peer.status !== 'connected' || changes.length >= moving) continue;
    const factor = 1 + Math.sin(beat / 3 + peer.id.length) * 0.1;
    const sendRateBps = Math.round((base[peer.id]?.sendRateBps ?? 0) * factor);
    const throughput =
      beat % 4 === 0
        ? [...peer.throughput.slice(1), Math.round((peer.throughput[0] ?? 0) * factor)]
        : peer.throughput;
    changes.push({
      collection: 'peers',
      id: peer.id,
      value: { ...peer, sendRateBps, sentBytes: peer.sentBytes + sendRateBps / 4, throughput },
    });
  }
  for (const attempt of Object.values(state.attempts)) {
    if (attempt.status !== 'punching') continue;
    const race = attempt.race.map((row) =>
      row.status === 'running' && row.progress
        ? {
            ...row,
            probesSent: (row.probesSent + 40) % 1500,
            progress: { done: (row.progress.done + 40) % 1500, of: 1500, etaMs: 400 },
          }
        : row,
    );
    changes.push({ collection: 'attempts', id: attempt.id, value: { ...attempt, race } });
  }
  return changes;
}
