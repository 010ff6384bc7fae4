import type { JsonSchema, JsonValue } from '@awl/api';
import { AwlError } from '@awl/wire';
import { Type } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { describeErrors } from './errors.ts';

/** First parts of setting names that belong to awl itself. */
const RESERVED = new Set([
  'name', 'password', 'rendezvous', 'limits', 'strategies', 'transports', 'node', 'log', 'network', 'plugins', 'forwards', 'shares',
]); // prettier-ignore

const scalar = {
  description: Type.Optional(Type.String({ maxLength: 300 })),
  enum: Type.Optional(Type.Array(Type.Unknown(), { minItems: 1, maxItems: 64 })),
  minimum: Type.Optional(Type.Number()),
  maximum: Type.Optional(Type.Number()),
  minLength: Type.Optional(Type.Integer({ minimum: 0 })),
  maxLength: Type.Optional(Type.Integer({ minimum: 0 })),
};
const scalarType = Type.Enum(['boolean', 'integer', 'number', 'string']);

/**
 * What a settings schema may say. A small part of JSON Schema: `pattern` (its time is not bounded) and `$ref` are left out, and unknown
 * keywords, which a validator would pass over in silence, are refused.
 */
const MetaSchema = Type.Object(
  {
    type: Type.Literal('object'),
    title: Type.Optional(Type.String({ maxLength: 80 })),
    description: Type.Optional(Type.String({ maxLength: 300 })),
    properties: Type.Record(
      Type.String({ pattern: '^[a-zA-Z][a-zA-Z0-9-]*(\\.[a-zA-Z][a-zA-Z0-9-]*)+$', maxLength: 60 }),
      Type.Object(
        {
          ...scalar,
          type: Type.Enum(['boolean', 'integer', 'number', 'string', 'array']),
          title: Type.Optional(Type.String({ maxLength: 80 })),
          default: Type.Optional(Type.Unknown()),
          minItems: Type.Optional(Type.Integer({ minimum: 0 })),
          maxItems: Type.Optional(Type.Integer({ minimum: 0 })),
          items: Type.Optional(Type.Object({ ...scalar, type: scalarType }, { additionalProperties: false })),
        },
        { additionalProperties: false },
      ),
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
const meta = Compile(MetaSchema);

/** A plugin's settings: names, defaults, and what their values must be. */
export class SettingsSchema {
  readonly schema: JsonSchema | undefined;
  readonly defaults: { readonly [key: string]: JsonValue };
  readonly #validators = new Map<string, { readonly validator: Validator; readonly schema: unknown }>();

  /** @param where file and path, for messages. Throws `ERR_PLUGIN_MANIFEST`. */
  constructor(schema: JsonSchema | undefined, where: string) {
    this.schema = schema;
    const defaults: { [key: string]: JsonValue } = {};
    this.defaults = defaults;
    if (!schema) return;
    if (!meta.Check(schema)) {
      throw new AwlError(
        'ERR_PLUGIN_MANIFEST',
        `${where}: ${describeErrors(meta.Errors(schema), MetaSchema)}`,
      );
    }
    const properties = schema['properties'] as { readonly [key: string]: JsonSchema };
    for (const [key, property] of Object.entries(properties)) {
      if (RESERVED.has(key.split('.')[0] ?? '')) {
        throw new AwlError(
          'ERR_PLUGIN_MANIFEST',
          `${where}/properties/${key}: this prefix belongs to awl itself`,
        );
      }
      this.#validators.set(key, { validator: Compile(property), schema: property });
      if (property['default'] === undefined) continue;
      const fault = this.fault(key, property['default']);
      if (fault) throw new AwlError('ERR_PLUGIN_MANIFEST', `${where}/properties/${key}/default: ${fault}`);
      defaults[key] = property['default'];
    }
  }

  get keys(): readonly string[] {
    return [...this.#validators.keys()];
  }

  has(key: string): boolean {
    return this.#validators.has(key);
  }

  /** What is wrong with a value, or undefined. */
  fault(key: string, value: JsonValue): string | undefined {
    const entry = this.#validators.get(key);
    if (!entry) return `${key} is not a setting of this plugin`;
    if (entry.validator.Check(value)) return undefined;
    return describeErrors(entry.validator.Errors(value), entry.schema).replace(/^\/ /, '');
  }
}
