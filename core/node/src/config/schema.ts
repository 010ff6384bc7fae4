import { Type, type Static } from 'typebox';

const Port = { minLength: 1, maxLength: 300 };
const strict = { additionalProperties: false };
const Protocol = Type.Enum(['tcp', 'udp']);

export const StoredShareSchema = Type.Object(
  {
    target: Type.String({ ...Port, description: 'port or host:port' }),
    protocol: Type.Optional(Protocol),
    expiresS: Type.Optional(Type.Integer({ minimum: 60, maximum: 31_536_000 })),
  },
  strict,
);
export const StoredForwardSchema = Type.Object(
  {
    peer: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    ticket: Type.Optional(Type.String({ minLength: 1, maxLength: 8192 })),
    listen: Type.String({
      ...Port,
      description: ':port (this machine only), address:port or *:port (everyone)',
    }),
    target: Type.Optional(Type.String(Port)),
    protocol: Type.Optional(Protocol),
    transport: Type.Optional(Type.Enum(['any', 'udp', 'tcp'])),
    probing: Type.Optional(
      Type.Object(
        {
          exhaustive: Type.Optional(
            Type.Boolean({
              description:
                'allow searches of all ports (tens of thousands of packets), where nothing else works; both sides must',
            }),
          ),
        },
        strict,
      ),
    ),
    strategies: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32 })),
  },
  strict,
);

const limit = (maximum: number, description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum, description }));

/** Everything that may stand in a configuration file. */
export const ConfigSchema = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 63,
        description: 'the name of this node at the rendezvous; default: the host name',
      }),
    ),
    password: Type.Optional(
      Type.String({
        minLength: 8,
        maxLength: 256,
        description: 'lets others connect by name; random at first start',
      }),
    ),
    rendezvous: Type.Optional(
      Type.Object(
        {
          url: Type.Optional(
            Type.String({ maxLength: 512, description: 'awl://host[:port][#fingerprint]; empty: none' }),
          ),
          key: Type.Optional(Type.String({ maxLength: 256, description: 'access key of the rendezvous' })),
        },
        strict,
      ),
    ),
    transport: Type.Optional(
      Type.Enum(['any', 'udp', 'tcp'], {
        description: 'which transports may carry connections; default: any',
      }),
    ),
    shares: Type.Optional(Type.Array(StoredShareSchema, { maxItems: 256 })),
    forwards: Type.Optional(Type.Array(StoredForwardSchema, { maxItems: 256 })),
    limits: Type.Optional(
      Type.Object(
        {
          sockets: limit(65_536, 'sockets open for attempts at once'),
          probesPerSecond: limit(100_000, 'probes sent per second by all attempts'),
          streams: limit(65_536, 'streams open per session'),
        },
        strict,
      ),
    ),
    probing: Type.Optional(
      Type.Object(
        {
          exhaustive: Type.Optional(
            Type.Boolean({
              description:
                'allow searches of all ports (tens of thousands of packets), where nothing else works; both sides must',
            }),
          ),
        },
        strict,
      ),
    ),
    strategies: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object(
          { enabled: Type.Boolean({ description: 'whether plans may use this strategy' }) },
          strict,
        ),
      ),
    ),
    plugins: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Object({ enabled: Type.Boolean({ description: 'whether the plugin runs' }) }, strict),
      ),
    ),
    settings: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "plugins' settings, checked by their own schemas",
      }),
    ),
    log: Type.Optional(
      Type.Object({ level: Type.Optional(Type.Enum(['debug', 'info', 'warn', 'error'])) }, strict),
    ),
  },
  strict,
);

export type NodeConfig = Static<typeof ConfigSchema>;
export type StoredShare = Static<typeof StoredShareSchema>;
export type StoredForward = Static<typeof StoredForwardSchema>;

/** Keys that load code, change what code does, or are secrets: only AWL_HOME or a file named with --config may have them. */
export const TRUSTED_KEYS = ['plugins', 'settings', 'password'] as const satisfies (keyof NodeConfig)[];
