import { test } from 'node:test';
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import {
  accessProof,
  encodeFrame,
  FrameReader,
  formatRendezvousUrl,
  isErrorCode,
  isPeerName,
  makeAccessKey,
  nameKey,
  parseClientMessage,
  parseRendezvousUrl,
  parseServerMessage,
  RENDEZVOUS_VERSION,
  verifyAccessProof,
} from '@awl/wire';

const ID = 'a'.repeat(52);
const KEYS = { spki: 'A'.repeat(59), sealKey: 'B'.repeat(43), sealSignature: 'C'.repeat(86) };
const HELLO = { type: 'hello', version: RENDEZVOUS_VERSION, features: [], ...KEYS };
const ENDPOINT = { address: '192.0.2.1', port: 7777 };
const PEER = { peerId: ID, online: true, ...KEYS };

for (const message of [
  HELLO,
  { ...HELLO, name: 'home', access: 'D'.repeat(43), software: 'awl/0.1.0' },
  { type: 'lookup', id: 0, peer: 'home' },
  { type: 'signal', id: 1, to: ID, sealed: 'abc_-' },
  { type: 'watch', id: 2 },
  { type: 'ping', id: 3, later: 'a field of a newer version' },
])
  test(`a peer may say: ${JSON.stringify(message).slice(0, 60)}`, () =>
    assert.deepEqual(parseClientMessage(message), { ok: true, value: message }));

for (const message of [
  {
    type: 'welcome',
    version: RENDEZVOUS_VERSION,
    features: ['x'],
    observed: ENDPOINT,
    stun: { udp: [ENDPOINT], tcp: [ENDPOINT] },
    lifetimeMs: 90_000,
  },
  { type: 'found', id: 1 },
  {
    type: 'found',
    id: 1,
    peer: { ...PEER, name: 'home', seenAt: 1_790_000_000_000, observedAddress: '::1' },
  },
  { type: 'done', id: 1 },
  { type: 'pong', id: 1 },
  { type: 'signal', from: PEER, sealed: 'abc' },
  { type: 'presence', peers: [PEER] },
  { type: 'error', code: 'ERR_RENDEZVOUS_LIMIT', reason: 'slow down', retryAfterMs: 5 },
  { type: 'stopping', retryAfterMs: 1000 },
])
  test(`a rendezvous may say: ${JSON.stringify(message).slice(0, 60)}`, () =>
    assert.deepEqual(parseServerMessage(message), { ok: true, value: message }));

for (const [message, code, detail] of [
  [null, 'ERR_WIRE_SCHEMA', /not an object/],
  [[], 'ERR_WIRE_SCHEMA', /not an object/],
  ['hello', 'ERR_WIRE_SCHEMA', /not an object/],
  [{}, 'ERR_WIRE_SCHEMA', /unknown type/],
  [{ type: '__proto__' }, 'ERR_WIRE_SCHEMA', /unknown type "__proto__"/],
  [{ type: 'constructor' }, 'ERR_WIRE_SCHEMA', /unknown type/],
  [{ type: '\u001b[2J\u202e' }, 'ERR_WIRE_SCHEMA', /^[\x20-\x7e]*$/],
  [{ type: 'hello' }, 'ERR_WIRE_VERSION', /version 1, the other version \(undefined\)/],
  [{ type: 'hello', version: 2, whatever: 1 }, 'ERR_WIRE_VERSION', /version 1, the other version 2/],
  [{ ...HELLO, spki: 'short' }, 'ERR_WIRE_SCHEMA', /hello\/spki/],
  [{ ...HELLO, features: Array.from({ length: 65 }, () => 'x') }, 'ERR_WIRE_SCHEMA', /hello\/features/],
  [{ type: 'lookup', id: -1, peer: 'x' }, 'ERR_WIRE_SCHEMA', /lookup\/id/],
  [{ type: 'lookup', id: 1, peer: '' }, 'ERR_WIRE_SCHEMA', /lookup\/peer/],
  [{ type: 'lookup', id: 1, peer: 'x'.repeat(64) }, 'ERR_WIRE_SCHEMA', /lookup\/peer/],
  [{ type: 'signal', id: 1, to: 'home', sealed: 'a' }, 'ERR_WIRE_SCHEMA', /signal\/to/],
  [{ type: 'signal', id: 1, to: ID, sealed: 'a'.repeat(48 * 1024 + 1) }, 'ERR_WIRE_SCHEMA', /signal\/sealed/],
  [{ type: 'signal', id: 1, to: ID, sealed: 'not base64url!' }, 'ERR_WIRE_SCHEMA', /signal\/sealed/],
] as const)
  test(`refused: ${JSON.stringify(message).slice(0, 60)}`, () => {
    const parsed = parseClientMessage(message);
    assert.ok(!parsed.ok);
    assert.equal(parsed.code, code);
    assert.match(parsed.detail, detail);
    assert.ok(isErrorCode(parsed.code));
  });

const FINGERPRINT = `${'abcdefgh'.repeat(6)}abcq`;
for (const [text, expected] of [
  ['awl://example.org', { host: 'example.org', port: 7777 }],
  ['awl://Example.ORG:99', { host: 'example.org', port: 99 }],
  ['awl://localhost/', { host: 'localhost', port: 7777 }],
  ['  awl://192.0.2.1:7777 ', { host: '192.0.2.1', port: 7777 }],
  ['awl://[2001:DB8::1]', { host: '2001:db8::1', port: 7777 }],
  [`awl://[::1]:5#${FINGERPRINT}`, { host: '::1', port: 5, fingerprint: FINGERPRINT }],
  [`awl://a#${FINGERPRINT.toUpperCase()}`, { host: 'a', port: 7777, fingerprint: FINGERPRINT }],
] as const)
  test(`URL ${text}`, () => {
    const url = parseRendezvousUrl(text);
    assert.deepEqual(url, expected);
    assert.deepEqual(parseRendezvousUrl(formatRendezvousUrl(url)), expected);
  });

for (const text of [
  '',
  'example.org',
  'https://example.org',
  'awl://',
  'awl://:7777',
  'awl://a:0',
  'awl://a:65536',
  'awl://a:x',
  'awl://a/b',
  'awl://u@a',
  'awl://::1',
  'awl://[::1',
  'awl://[1.2.3.4]',
  'awl://1.2.3.256',
  'awl://-a',
  'awl://a..b',
  'awl://a b',
  'awl://a#',
  'awl://a#short',
  `awl://a#${FINGERPRINT}x`,
  `awl://${'a.'.repeat(300)}`,
])
  test(`no URL: ${text.slice(0, 40)}`, () => assert.equal(parseRendezvousUrl(text), undefined));

test('the usual port is left out of a URL', () => {
  assert.equal(
    formatRendezvousUrl({ host: '::1', port: 7777, fingerprint: FINGERPRINT }),
    `awl://[::1]#${FINGERPRINT}`,
  );
  assert.equal(formatRendezvousUrl({ host: 'a', port: 1 }), 'awl://a:1');
});

test('names', () => {
  for (const name of ['a', 'home-2_x', 'X'.repeat(63)]) assert.ok(isPeerName(name), name);
  for (const name of ['', 'a b', 'ä', 'a.b', 'x'.repeat(64), ID, ID.toUpperCase(), '\u202e'])
    assert.ok(!isPeerName(name), name);
  assert.equal(nameKey('Home'), nameKey('home'));
});

test('an access proof holds for one connection and one key', () => {
  const key = makeAccessKey();
  const exporter = Buffer.alloc(32, 1);
  const proof = accessProof(key, exporter);
  assert.equal(proof.length, 43);
  assert.ok(verifyAccessProof(key, exporter, proof));
  assert.ok(!verifyAccessProof(key, Buffer.alloc(32, 2), proof));
  assert.ok(!verifyAccessProof(makeAccessKey(), exporter, proof));
  assert.ok(!verifyAccessProof(key, exporter, ''));
});

const SEED = Number(process.env['AWL_TEST_SEED'] ?? 20261121);

test('whatever is in a frame is read or refused with a code, never thrown at', () => {
  const types = [
    'hello',
    'lookup',
    'signal',
    'watch',
    'ping',
    'welcome',
    'found',
    'presence',
    'error',
    'stopping',
  ];
  const field = fc.oneof(
    fc.jsonValue({ maxDepth: 5 }),
    fc.constantFrom(ID, ENDPOINT, [ENDPOINT], [PEER], PEER, 1),
  );
  const fields = fc.dictionary(
    fc.constantFrom(
      'version',
      'id',
      'peer',
      'peers',
      'to',
      'sealed',
      'features',
      'spki',
      'stun',
      'code',
      '__proto__',
      'x',
    ),
    field,
  );
  fc.assert(
    fc.property(fc.constantFrom(...types), fields, (type, rest) => {
      for (const parse of [parseClientMessage, parseServerMessage]) {
        const parsed = parse({ ...rest, type });
        assert.ok(parsed.ok || isErrorCode(parsed.code));
      }
    }),
    { seed: SEED, numRuns: 3000 },
  );
});

test('damaged frames are read or refused with a code, never thrown at', () => {
  const stream = Buffer.concat(
    [HELLO, { type: 'signal', id: 1, to: ID, sealed: 'abc' }, PEER].map(encodeFrame),
  );
  let state = SEED >>> 0;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let seen = 0;
  for (let run = 0; run < 20_000; run++) {
    const damaged = Buffer.from(stream);
    for (let change = random(4); change >= 0; change--) damaged[random(damaged.length)] = random(256);
    new FrameReader().push(damaged, (value) => {
      const message = value.ok ? parseClientMessage(value.value) : value;
      assert.ok(message.ok || isErrorCode(message.code));
      seen++;
    });
  }
  assert.ok(seen > 20_000, `seed ${SEED}`);
});
