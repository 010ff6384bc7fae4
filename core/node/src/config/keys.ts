import type { JsonValue } from '@awl/api';
import { AwlError } from '@awl/wire';
import { checkConfig } from './check.ts';
import { ConfigSchema, type NodeConfig } from './schema.ts';

type Tree = { readonly [key: string]: JsonValue };

/** `limits.sockets` as a path. A plugin's setting has dots of its own: `settings.lucky.attempts` is one key under `settings`. */
export function pathOf(key: string): readonly string[] {
  const [first = '', ...rest] = key.split('.');
  const path = first === 'settings' && rest.length > 0 ? [first, rest.join('.')] : [first, ...rest];
  if (
    !Object.hasOwn(ConfigSchema.properties, first) ||
    path.some((part) => part === '' || part === '__proto__')
  ) {
    throw new AwlError('ERR_CONFIG_INVALID', `There is no configuration key "${key}".`, {
      remedy: `Keys are ${Object.keys(ConfigSchema.properties).join(', ')}; see \`awl config ls\`.`,
    });
  }
  return path;
}

/** The value at a key; undefined where nothing is set. Without a key: everything. */
export function valueAt(config: NodeConfig, key?: string): JsonValue | undefined {
  let value: JsonValue | undefined = config as Tree;
  for (const part of key === undefined ? [] : pathOf(key)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Tree)[part];
  }
  return value;
}

/** The configuration with one value set, or removed by null. Throws `ERR_CONFIG_INVALID`. */
export function withValue(config: NodeConfig, key: string, value: JsonValue): NodeConfig {
  return checkConfig(setIn(config as Tree, pathOf(key), value), `awl config set ${key}`);
}

/** What was typed, as the kind of value that fits the key: a number-like password stays text, a limit becomes a number. */
export function parseTyped(config: NodeConfig, key: string, text: string): JsonValue {
  let parsed: JsonValue | undefined;
  try {
    parsed = JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
  if (key.startsWith('settings.')) return parsed;
  try {
    withValue(config, key, text);
    return text;
  } catch {
    return parsed;
  }
}

function setIn(tree: Tree, path: readonly string[], value: JsonValue): Tree {
  const [key = '', ...rest] = path;
  const { [key]: old, ...others } = tree;
  if (rest.length === 0) return value === null ? others : { ...others, [key]: value };
  const inner = typeof old === 'object' && old !== null && !Array.isArray(old) ? (old as Tree) : {};
  const changed = setIn(inner, rest, value);
  // Removing the last part removes what held it: an empty object may lack what its schema asks for.
  return value === null && Object.keys(changed).length === 0 ? others : { ...others, [key]: changed };
}

/** Every value with its dotted key. */
export function flatten(config: NodeConfig): readonly (readonly [key: string, value: JsonValue])[] {
  const lines: [string, JsonValue][] = [];
  const walk = (prefix: string, value: JsonValue): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) walk(prefix ? `${prefix}.${key}` : key, inner);
    } else lines.push([prefix, value]);
  };
  walk('', config as Tree);
  return lines;
}
