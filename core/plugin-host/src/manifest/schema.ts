import { HOOKS, type PluginManifest } from '@awl/api';
import { Type, type Static } from 'typebox';

/** Ids are lower case, so that they are never confused on a command line. */
const STRATEGY_ID = '^[a-z][a-z0-9]*(-[a-z0-9]+)*$';
/** Ids that a person types after the plugin's own: `lucky.stats`. */
const DOTTED_ID = '^[a-zA-Z][a-zA-Z0-9-]*(\\.[a-zA-Z][a-zA-Z0-9-]*)*$';

const strict = { additionalProperties: false };
const Title = Type.String({ minLength: 1, maxLength: 80, description: 'One line for a person.' });
const named = (pattern: string, description: string) =>
  Type.Array(Type.Object({ id: Type.String({ pattern, maxLength: 60 }), title: Title }, strict), {
    maxItems: 32,
    description,
  });

const Contributions = Type.Object(
  {
    strategies: Type.Optional(
      Type.Array(
        Type.Object(
          {
            id: Type.String({ pattern: STRATEGY_ID, maxLength: 60, description: 'Without the version.' }),
            version: Type.Integer({
              minimum: 1,
              maximum: 999,
              description: 'Both peers need the same to use it.',
            }),
            transport: Type.Enum(['udp', 'tcp']),
            title: Title,
          },
          strict,
        ),
        { maxItems: 16, description: 'Ways through NATs.' },
      ),
    ),
    portMappers: Type.Optional(named(STRATEGY_ID, 'Ways to ask a router for a port mapping.')),
    natProbes: Type.Optional(named(STRATEGY_ID, 'Sources of evidence about the NAT.')),
    transports: Type.Optional(
      named(STRATEGY_ID, 'Reliable streams over a punched UDP socket. Built-in plugins only.'),
    ),
    hooks: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.Enum(Object.keys(HOOKS) as (keyof typeof HOOKS)[]),
            order: Type.Optional(Type.Enum(['pre', 'normal', 'post'])),
          },
          strict,
        ),
        { maxItems: 32, description: 'Steps of a connection that the plugin listens to or takes part in.' },
      ),
    ),
    commands: Type.Optional(named(DOTTED_ID, 'What a user may run.')),
    views: Type.Optional(
      Type.Array(
        Type.Object(
          {
            id: Type.String({ pattern: DOTTED_ID, maxLength: 60 }),
            kind: Type.Enum(['table', 'keyvalue', 'log', 'sparkline', 'text']),
            title: Title,
          },
          strict,
        ),
        { maxItems: 8, description: 'What the plugin shows: data, never components.' },
      ),
    ),
    statusItems: Type.Optional(named(DOTTED_ID, 'Short texts in the status line.')),
    configuration: Type.Optional(
      Type.Unsafe<NonNullable<PluginManifest['contributes']['configuration']>>({
        type: 'object',
        description: 'A JSON Schema of the settings: an object with one property for each.',
      }),
    ),
  },
  strict,
);

/**
 * The parts of a plugin's package.json that awl reads. Other keys belong to npm and are left alone.
 */
export const ManifestSchema = Type.Object(
  {
    name: Type.String({ pattern: '^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*$', maxLength: 100 }),
    version: Type.String({ pattern: '^\\d+\\.\\d+\\.\\d+([-+][0-9A-Za-z.+-]+)?$', maxLength: 60 }),
    displayName: Type.Optional(Type.String({ minLength: 1, maxLength: 60 })),
    description: Type.Optional(Type.String({ maxLength: 300 })),
    engines: Type.Object({
      awl: Type.String({ minLength: 1, maxLength: 60, description: 'A semver range of @awl/api.' }),
    }),
    disabledByDefault: Type.Optional(Type.Boolean()),
    capabilities: Type.Array(Type.Enum(['udp', 'tcp', 'lan-http', 'multicast', 'network', 'files']), {
      maxItems: 6,
      uniqueItems: true,
      description: 'What the plugin may touch; shown at install.',
    }),
    contributes: Contributions,
  },
  { title: 'awl plugin manifest', description: 'The parts of a package.json that make it an awl plugin.' },
);

/** The schema as the API publishes it for editors: `@awl/api/manifest.schema.json`. */
export function manifestJsonSchema(): string {
  const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...ManifestSchema };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

/** Holds as long as the schema and the type of the API say the same. */
export type CheckedManifest = Static<typeof ManifestSchema> extends PluginManifest ? PluginManifest : never;
