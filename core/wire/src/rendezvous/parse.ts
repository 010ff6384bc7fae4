import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { refuse, type Parsed } from '../frame.ts';
import {
  CLIENT_SCHEMAS,
  RENDEZVOUS_VERSION,
  SERVER_SCHEMAS,
  type ClientMessage,
  type ServerMessage,
} from './schema.ts';

type Validator = ReturnType<typeof Compile>;

function compile(schemas: Record<string, TSchema>): ReadonlyMap<string, Validator> {
  return new Map(Object.entries(schemas).map(([type, schema]) => [type, Compile(schema)]));
}

const clientValidators = compile(CLIENT_SCHEMAS);
const serverValidators = compile(SERVER_SCHEMAS);

/** A peer's message from a frame's value. Unknown fields are let through and not looked at. */
export function parseClientMessage(value: unknown): Parsed<ClientMessage> {
  return parse(clientValidators, value) as Parsed<ClientMessage>;
}

/** A rendezvous' message from a frame's value. */
export function parseServerMessage(value: unknown): Parsed<ServerMessage> {
  return parse(serverValidators, value) as Parsed<ServerMessage>;
}

/** The schema is chosen by the type field first, so that an error names the one thing that is wrong. */
function parse(validators: ReadonlyMap<string, Validator>, value: unknown): Parsed<unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('ERR_WIRE_SCHEMA', 'a message that is not an object');
  const { type, version } = value as { readonly type?: unknown; readonly version?: unknown };
  const validator = typeof type === 'string' ? validators.get(type) : undefined;
  if (!validator) return refuse('ERR_WIRE_SCHEMA', `a message of unknown type ${quote(type)}`);
  // Before all else: another version may have other fields.
  if ((type === 'hello' || type === 'welcome') && version !== RENDEZVOUS_VERSION)
    return refuse(
      'ERR_WIRE_VERSION',
      `this side speaks version ${RENDEZVOUS_VERSION}, the other version ${quote(version)}`,
    );
  if (validator.Check(value)) return { ok: true, value };
  const [first] = validator.Errors(value);
  return refuse(
    'ERR_WIRE_SCHEMA',
    `${String(type)}${first?.instancePath ?? ''} ${first?.message ?? 'is wrong'}`,
  );
}

/** A hostile value for an error text: short, and harmless in a terminal. */
function quote(value: unknown): string {
  const kind = typeof value;
  return kind === 'string' || kind === 'number'
    ? JSON.stringify(value)
        .slice(0, 40)
        .replaceAll(/[^\x20-\x7e]/g, '?')
    : `(${kind})`;
}
