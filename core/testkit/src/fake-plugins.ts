import type { EngineState, PluginState } from '@awl/api';

function plugin(id: string, description: string, more: Partial<PluginState> = {}): PluginState {
  return {
    id,
    displayName: id,
    description,
    version: '0.1.0',
    builtIn: true,
    status: 'active',
    capabilities: ['udp'],
    activationMs: 2,
    failures: 0,
    contributes: [`strategy ${id}@1`],
    settings: { values: {} },
    ...more,
  };
}

const luckySchema = {
  type: 'object',
  properties: {
    'lucky.attempts': {
      type: 'integer',
      minimum: 1,
      maximum: 20,
      default: 3,
      description: 'How often to try',
    },
    'lucky.spread': {
      type: 'string',
      enum: ['narrow', 'wide'],
      default: 'narrow',
      description: 'Which ports to guess',
    },
    'lucky.loud': { type: 'boolean', default: false, description: 'Write each guess to the log' },
    'lucky.label': { type: 'string', maxLength: 20, default: '', description: 'A name for the log' },
  },
} as const;

/** Plugins, and what they contribute, of the made-up state. */
export function fakePlugins(): Pick<EngineState, 'plugins' | 'views' | 'statusItems' | 'commands'> {
  const plugins = [
    plugin('lan-direct', 'Peers on the same network, found by their gateway'),
    plugin('udp-kcp', 'UDP punching and KCP, a reliable stream over UDP', {
      contributes: [
        'strategy udp-direct@1',
        'strategy udp-predict@1',
        'strategy udp-birthday@1',
        'transport kcp',
      ],
      activationMs: 4,
    }),
    plugin('tcp-simultaneous-open', 'TCP through NATs by opening from both sides', { capabilities: ['tcp'] }),
    plugin('upnp', 'Maps ports at a router by UPnP', {
      status: 'disabled',
      capabilities: ['lan-http', 'multicast'],
      contributes: ['port mapper upnp'],
    }),
    plugin('nat-pmp-pcp', 'Maps ports at a router by NAT-PMP or PCP', {
      status: 'inactive',
      contributes: ['port mapper nat-pmp', 'port mapper pcp'],
    }),
    plugin('lucky-ports', 'Guesses ports', {
      displayName: 'Lucky ports',
      builtIn: false,
      version: '1.0.0',
      activationMs: 41,
      contributes: ['strategy lucky-ports@1', 'command lucky.stats', 'view lucky.view'],
      settings: { schema: luckySchema, values: { 'lucky.attempts': 5 } },
    }),
    plugin('turbo', 'Does not start', {
      builtIn: false,
      version: '0.3.1',
      status: 'quarantined',
      failures: 3,
      code: 'ERR_PLUGIN_QUARANTINED',
      reason: 'its process ended three times in five minutes',
      contributes: ['strategy turbo@1'],
    }),
  ];
  return {
    plugins: Object.fromEntries(plugins.map((each) => [each.id, each])),
    views: {
      'lucky.view': {
        id: 'lucky.view',
        plugin: 'lucky-ports',
        title: 'Lucky guesses',
        data: {
          kind: 'table',
          columns: ['Peer', 'Guesses', 'Hits'],
          rows: [
            ['laptop-mia', '600', '1'],
            ['cabin', '600', '0'],
          ],
        },
      },
      'lucky.rate': {
        id: 'lucky.rate',
        plugin: 'lucky-ports',
        title: 'Guesses a second',
        data: { kind: 'sparkline', values: [1, 4, 9, 16, 25, 16, 9, 4], unit: '/s' },
      },
    },
    statusItems: { 'lucky.status': { id: 'lucky.status', plugin: 'lucky-ports', text: 'lucky 1/1200' } },
    commands: {
      'lucky.stats': { id: 'lucky.stats', plugin: 'lucky-ports', title: 'Show statistics of lucky guesses' },
    },
  };
}
