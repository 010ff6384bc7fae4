import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { API_VERSION } from '@awl/api';
import { manifestJsonSchema, parseManifest, pluginId } from '../src/index.ts';
import { manifest } from './support/fakes.ts';

const setting = (property: unknown): unknown =>
  manifest({
    contributes: { configuration: { type: 'object', properties: { 'lucky.attempts': property } } },
  });

const refused: readonly (readonly [name: string, value: unknown, code: string, message: RegExp])[] = [
  ['no object', null, 'ERR_PLUGIN_MANIFEST', /^p\.json: \/ must be object/],
  ['missing name', { ...manifest(), name: undefined }, 'ERR_PLUGIN_MANIFEST', /\/name/],
  [
    'unknown capability',
    manifest({ capabilities: ['root'] }),
    'ERR_PLUGIN_MANIFEST',
    /p\.json: \/capabilities\/0 must be one of "udp", "tcp"/,
  ],
  [
    'unknown hook',
    manifest({ contributes: { hooks: [{ name: 'packet.sent' }] } }),
    'ERR_PLUGIN_MANIFEST',
    /\/contributes\/hooks\/0\/name must be one of .*"peer.authorize"/,
  ],
  [
    'unknown point',
    manifest({ contributes: { strategy: [] } }),
    'ERR_PLUGIN_MANIFEST',
    /\/contributes\/strategy is not known here; known: strategies, /,
  ],
  [
    'strategy without its capability',
    manifest({
      capabilities: [],
      contributes: { strategies: [{ id: 'a', version: 1, transport: 'udp', title: 'A' }] },
    }),
    'ERR_PLUGIN_MANIFEST',
    /strategies\/0\/transport: udp must also be in \/capabilities/,
  ],
  [
    'an id twice',
    manifest({
      contributes: {
        commands: [
          { id: 'a', title: 'A' },
          { id: 'a', title: 'B' },
        ],
      },
    }),
    'ERR_PLUGIN_MANIFEST',
    /commands\/1\/id: a stands there twice/,
  ],
  [
    'no range',
    manifest({ engines: { awl: 'new' } }),
    'ERR_PLUGIN_MANIFEST',
    /engines\/awl must be a semver range/,
  ],
  [
    'another version',
    manifest({ engines: { awl: '^9.0.0' } }),
    'ERR_PLUGIN_ENGINE',
    new RegExp(`\\^9\\.0\\.0; this is ${API_VERSION}`),
  ],
  [
    'setting with a pattern',
    setting({ type: 'string', pattern: '(a+)+$' }),
    'ERR_PLUGIN_MANIFEST',
    /pattern is not known here/,
  ],
  [
    'setting with a reference',
    setting({ $ref: '#/x' }),
    'ERR_PLUGIN_MANIFEST',
    /\$ref is not known here|type is missing/,
  ],
  ['setting of no type', setting({ type: 'port' }), 'ERR_PLUGIN_MANIFEST', /type must be one of "boolean"/],
  [
    'setting with a wrong default',
    setting({ type: 'integer', minimum: 1, default: 0 }),
    'ERR_PLUGIN_MANIFEST',
    /default: must be >= 1/,
  ],
  [
    'setting of awl itself',
    manifest({
      contributes: {
        configuration: { type: 'object', properties: { 'limits.sockets': { type: 'integer' } } },
      },
    }),
    'ERR_PLUGIN_MANIFEST',
    /belongs to awl itself/,
  ],
];

for (const [name, value, code, message] of refused) {
  test(`manifest refused: ${name}`, () => {
    assert.throws(
      () => parseManifest(value, 'p.json'),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, code, error.message);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test('a full manifest is accepted', () => {
  const parsed = parseManifest(
    manifest({
      name: 'awl-plugin-lucky-ports',
      contributes: {
        strategies: [{ id: 'lucky-ports', version: 1, transport: 'udp', title: 'Lucky ports' }],
        hooks: [{ name: 'candidate.filter', order: 'post' }],
        commands: [{ id: 'lucky.stats', title: 'Statistics' }],
        views: [{ id: 'lucky.view', kind: 'table', title: 'Lucky' }],
        configuration: {
          type: 'object',
          properties: {
            'lucky.attempts': { type: 'integer', minimum: 1, default: 3, description: 'How often.' },
          },
        },
      },
    }),
    'p.json',
  );
  assert.equal(parsed.id, 'lucky-ports');
  assert.deepEqual(parsed.settings.defaults, { 'lucky.attempts': 3 });
  assert.equal(parsed.settings.fault('lucky.attempts', 0), 'must be >= 1');
});

test('the short name of a plugin', () => {
  assert.deepEqual(['@awl/plugin-upnp', 'awl-plugin-x', '@me/thing', 'awl-plugin-'].map(pluginId), [
    'upnp',
    'x',
    '@me/thing',
    'awl-plugin-',
  ]);
});

test('the published schema is the one that is checked', () => {
  assert.equal(
    readFileSync(new URL('../../api/manifest.schema.json', import.meta.url), 'utf8'),
    manifestJsonSchema(),
  );
});

test('the version of the API is that of its package', () => {
  const api = JSON.parse(readFileSync(new URL('../../api/package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  assert.equal(API_VERSION, api.version);
});

for (const directory of ['lan-direct', 'nat-pmp-pcp', 'tcp-simultaneous-open', 'udp-kcp', 'upnp']) {
  test(`the manifest of ${directory} is valid`, () => {
    const file = new URL(`../../../plugins/${directory}/package.json`, import.meta.url);
    assert.equal(parseManifest(JSON.parse(readFileSync(file, 'utf8')), file.pathname).id, directory);
  });
}
