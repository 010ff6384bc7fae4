import type { Change, CommandName, Commands, EngineState, PluginState } from '@awl/api';

interface Effect<Name extends CommandName> {
  readonly changes: readonly Change[];
  readonly result: Commands[Name]['result'];
}

type Effects = {
  readonly [Name in CommandName]?: (
    state: EngineState,
    params: Commands[Name]['params'],
    now: number,
  ) => Effect<Name>;
};

function changedPlugin(state: EngineState, id: string, change: Partial<PluginState>): readonly Change[] {
  const plugin = state.plugins[id];
  return plugin ? [{ collection: 'plugins', id, value: { ...plugin, ...change } }] : [];
}

function mapped(state: EngineState, now: number): Change {
  const mapping = {
    protocol: 'udp',
    internalPort: 40031,
    externalPort: 40112,
    lifetimeS: 3600,
    externalAddress: '203.0.113.11',
    handle: 'm1',
    mapper: 'upnp',
    expiresAt: now + 58 * 60_000,
  } as const;
  return { section: 'nat', value: { ...state.nat, mappings: [mapping] } };
}

const effects: Effects = {
  'plugin.enable': (state, { plugin }, now) => ({
    changes: [
      ...changedPlugin(state, plugin, { status: 'active', failures: 0 }),
      ...(plugin === 'upnp' ? [mapped(state, now)] : []),
    ],
    result: null,
  }),
  'plugin.disable': (state, { plugin }) => ({
    changes: [
      ...changedPlugin(state, plugin, { status: 'disabled' }),
      ...(plugin === 'upnp' ? [{ section: 'nat', value: { ...state.nat, mappings: [] } } as const] : []),
    ],
    result: null,
  }),
  'forward.add': (state, params) => {
    const id = `f-${Object.keys(state.forwards).length + 1}`;
    const traffic = { connections: 0, sentBytes: 0, receivedBytes: 0 };
    const value = {
      id,
      peer: params.peer ?? '',
      listen: params.listen,
      protocol: params.protocol ?? 'tcp',
      status: 'listening',
      ...traffic,
    } as const;
    return {
      changes: [
        { collection: 'forwards', id, value: params.target ? { ...value, target: params.target } : value },
      ],
      result: { forward: id, listen: params.listen },
    };
  },
  'forward.remove': (_state, { forward }) => ({
    changes: [{ collection: 'forwards', id: forward, value: null }],
    result: null,
  }),
  'share.add': (state, params, now) => {
    const id = `s-${Object.keys(state.shares).length + 1}`;
    const value = {
      id,
      target: params.target,
      protocol: params.protocol ?? 'tcp',
      tickets: [{ id: `t-${id}`, ticket: 'awl1example', expiresAt: now + 86_400_000 }],
      connections: 0,
      sentBytes: 0,
      receivedBytes: 0,
    };
    return { changes: [{ collection: 'shares', id, value }], result: { share: id, ticket: 'awl1example' } };
  },
  'share.remove': (_state, { share }) => ({
    changes: [{ collection: 'shares', id: share, value: null }],
    result: null,
  }),
  'peer.connect': (state, params) => {
    const peer = Object.values(state.peers).find(
      (each) => each.id === params.peer || each.name === params.peer,
    );
    if (!peer) return { changes: [], result: { peer: params.peer ?? '' } };
    const { code: _code, reason: _reason, remedy: _remedy, ...others } = peer;
    return {
      changes: [{ collection: 'peers', id: peer.id, value: { ...others, status: 'connecting' } }],
      result: { peer: peer.id },
    };
  },
  'peer.disconnect': (state, params) => {
    const peer = state.peers[params.peer];
    if (!peer) return { changes: [], result: null };
    const { path: _path, ...others } = peer;
    return {
      changes: [
        {
          collection: 'peers',
          id: peer.id,
          value: { ...others, status: 'online', sendRateBps: 0, receiveRateBps: 0 },
        },
      ],
      result: null,
    };
  },
  'peer.forget': (_state, params) => ({
    changes: [{ collection: 'peers', id: params.peer, value: null }],
    result: null,
  }),
  'peer.ping': (state, params) => ({
    changes: [],
    result: { rttMs: state.peers[params.peer]?.path?.rttMs ?? 40, path: 'direct' },
  }),
  'attempt.cancel': (state, { attempt }, now) => {
    const current = state.attempts[attempt];
    const peer = current && state.peers[current.peer];
    if (!current || !peer) return { changes: [], result: null };
    const why = {
      code: 'ERR_ATTEMPT_CANCELLED',
      reason: 'the attempt was cancelled',
      remedy: 'Connect again when you like.',
    };
    const race = current.race.map((row) =>
      row.status === 'running' || row.status === 'waiting' ? { ...row, status: 'cancelled' as const } : row,
    );
    return {
      changes: [
        {
          collection: 'attempts',
          id: attempt,
          value: { ...current, race, status: 'failed', endedAt: now, ...why },
        },
        { collection: 'peers', id: peer.id, value: { ...peer, status: 'online', ...why } },
      ],
      result: null,
    };
  },
  'nat.measure': (state, _params, now) => {
    const nat = { ...state.nat, status: 'known' as const, measuredAt: now };
    return { changes: [{ section: 'nat', value: nat }], result: nat };
  },
  'config.set': (state, { key, value }) => {
    const owner = Object.values(state.plugins).find((plugin) =>
      JSON.stringify(plugin.settings.schema ?? {}).includes(`"${key}"`),
    );
    if (owner)
      return {
        changes: changedPlugin(state, owner.id, {
          settings: { ...owner.settings, values: { ...owner.settings.values, [key]: value } },
        }),
        result: null,
      };
    return {
      changes:
        key === 'name'
          ? [
              {
                section: 'node',
                value: { ...state.node, name: typeof value === 'string' ? value : state.node.name },
              },
            ]
          : [],
      result: null,
    };
  },
  'rendezvous.set': (state, { url }) => ({
    changes: [{ section: 'rendezvous', value: { ...state.rendezvous, url, status: 'connected' } }],
    result: null,
  }),
  'command.run': () => ({ changes: [], result: { guesses: 1200, hits: 1 } }),
};

/** What a command changes in the made-up state, and what it answers. */
export function fakeEffects<Name extends CommandName>(
  state: EngineState,
  name: Name,
  params: Commands[Name]['params'],
  now: number,
): Effect<Name> {
  return effects[name]?.(state, params, now) ?? { changes: [], result: null };
}
