import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  UNKNOWN_BEHAVIOUR,
  type Assessment,
  type BehaviourVector,
  type Candidate,
  type JsonValue,
} from '@awl/api';
import {
  decodeAnswer,
  decodeExchange,
  decodeGo,
  decodeOffer,
  decodePair1,
  decodePair2,
  decodePair3,
  decodePair4,
  isCanonicalAddress,
  type AnswerBody,
  type OfferBody,
} from '@awl/engine';
import { AwlError } from '@awl/wire';

const candidate: Candidate = {
  type: 'server-reflexive',
  protocol: 'udp',
  endpoint: { address: '192.0.2.1', port: 40000 },
  priority: 1694498815,
  base: { address: '10.0.0.2', port: 40000 },
  leaseId: 'lease-1',
};
const behaviour: BehaviourVector = {
  udp: {
    ...UNKNOWN_BEHAVIOUR,
    mapping: 'EIM',
    external: { address: '2001:db8::1', port: 1 },
    confidence: { mapping: 0.9 },
  },
  tcp: UNKNOWN_BEHAVIOUR,
  layers: 1,
  ipv6: false,
};
const offer = {
  version: 1,
  random: 'A'.repeat(43),
  behaviour,
  candidates: [candidate],
  strategies: [
    {
      id: 'udp-direct@1',
      assessment: { likelihood: 0.9, expectedMs: 80, probes: 12, reason: 'fits' },
      advert: { mapped: [1, null] },
    },
  ],
  transports: ['kcp@1'],
  gateways: ['A'.repeat(43)],
  name: 'den',
  auth: { by: 'ticket', ticket: 'A'.repeat(11), proof: 'A'.repeat(43) },
  want: { share: 's1', target: 'localhost:80', protocol: 'tcp' },
  transport: 'any',
  clock: { sentMs: 12.5 },
} as unknown as OfferBody;
// What the schemas say must fit the API's types.
const typed: {
  behaviour: BehaviourVector;
  candidates: readonly Candidate[];
  strategies: readonly { assessment?: Assessment }[];
} = offer;
assert.ok(typed);
const { auth: _auth, want: _want, transport: _transport, ...side } = offer;
const accepted: AnswerBody = { ...side, outcome: 'accepted', clock: { receivedMs: 1, sentMs: 2 } };
const go = {
  answerNonce: 'A'.repeat(22),
  plan: [{ strategy: 'udp-direct@1', startMs: 0, deadlineMs: 500, sockets: 1, probes: 20 }],
  startAtMs: 1e6,
};
const refused = { outcome: 'refused', code: 'ERR_AUTH_REFUSED', reason: 'no', retryAfterMs: 1000 };

/** `body` with the value at a path replaced (undefined: removed). */
function withAt(body: unknown, path: string, value: unknown): JsonValue {
  const copy = structuredClone(body) as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const place = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, copy);
  if (value === undefined) delete place[last];
  else place[last] = value;
  return copy as JsonValue;
}

test('valid bodies are taken as they are, with fields that a later version may add', () => {
  const later = { later: { some: 'thing' } };
  for (const [decode, body] of [
    [decodeOffer, offer],
    [decodeOffer, withAt(offer, 'auth', { by: 'remembered' })],
    [decodeOffer, withAt(offer, 'auth', { by: 'password', proof: 'A'.repeat(43) })],
    [decodeOffer, withAt(offer, 'want', undefined)],
    [decodeAnswer, accepted],
    [decodeAnswer, refused],
    [decodeGo, go],
    [decodeExchange, { strategy: 'udp-direct@1', message: { port: 1 } }],
    [decodePair1, { request: 'A'.repeat(128) }],
    [decodePair2, { outcome: 'accepted', response: 'A'.repeat(427) }],
    [decodePair2, refused],
    [decodePair3, { finish: 'A'.repeat(86), confirmation: 'A'.repeat(43) }],
    [decodePair4, { outcome: 'accepted', confirmation: 'A'.repeat(43) }],
    [decodePair4, refused],
  ] as [(body: JsonValue) => unknown, JsonValue][]) {
    assert.deepEqual(decode({ ...(body as object), ...later }), { ...(body as object), ...later });
  }
});

test('texts of the peer lose what a terminal would obey', () => {
  const answer = decodeAnswer({ ...refused, reason: 'no\u001b[2J\u202e way \u{1f600}\u0007' });
  assert.equal(answer.outcome === 'refused' && answer.reason, 'no [2J  way \u{1f600} ');
  const [strategy] = decodeOffer(withAt(offer, 'strategies.0.assessment.reason', 'a\nb')).strategies;
  assert.equal(strategy?.assessment?.reason, 'a b');
});

test('any JSON is either taken or refused with the one code', () => {
  const decoders = [
    decodeOffer,
    decodeAnswer,
    decodeGo,
    decodeExchange,
    decodePair1,
    decodePair2,
    decodePair3,
    decodePair4,
  ];
  const bodies: unknown[] = [offer, accepted, go, refused];
  /** A body with one value anywhere in it replaced. */
  const damaged = fc
    .tuple(fc.constantFrom(...bodies), fc.nat(), fc.jsonValue())
    .map(([body, where, value]) => {
      let places = 0;
      JSON.stringify(body, (_key, inner: unknown) => (places++, inner));
      let at = 0;
      return JSON.parse(
        JSON.stringify(body, (_key, inner: unknown) => (at++ === where % places ? value : inner)),
      ) as JsonValue;
    });
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), damaged), (body) => {
      for (const decode of decoders) {
        try {
          decode(body as JsonValue);
        } catch (error) {
          assert.ok(error instanceof AwlError && error.code === 'ERR_WIRE_SCHEMA', String(error));
        }
      }
    }),
    { seed: 20260102, numRuns: 500 },
  );
});

test('an unknown code of refusal becomes a known one', () => {
  assert.deepEqual(decodeAnswer({ ...refused, code: 'ERR_LATER' }), refused);
});

test('everything else is refused, and the place is named', () => {
  const deep = JSON.parse(`${'['.repeat(20)}1${']'.repeat(20)}`) as JsonValue;
  const table: [string, (body: JsonValue) => unknown, JsonValue, RegExp][] = [
    ['not an object', decodeOffer, 'offer', /it/],
    ['null', decodeAnswer, null, /it/],
    ['a missing field', decodeOffer, withAt(offer, 'random', undefined), /random/],
    ['short random', decodeOffer, withAt(offer, 'random', 'AA'), /\/random/],
    ['another version', decodeOffer, withAt(offer, 'version', 2), /\/version/],
    [
      '33 candidates',
      decodeOffer,
      withAt(
        offer,
        'candidates',
        Array.from({ length: 33 }, () => candidate),
      ),
      /\/candidates/,
    ],
    [
      'a host name',
      decodeOffer,
      withAt(offer, 'candidates.0.endpoint.address', 'localhost'),
      /\/candidates\/0\/endpoint\/address/,
    ],
    ['a base that is no address', decodeOffer, withAt(offer, 'candidates.0.base.address', '1.2.3'), /base/],
    [
      'an external that is no address',
      decodeAnswer,
      withAt(accepted, 'behaviour.udp.external.address', '::01'),
      /external/,
    ],
    ['port 0', decodeOffer, withAt(offer, 'candidates.0.endpoint.port', 0), /port/],
    ['port 65536', decodeOffer, withAt(offer, 'candidates.0.endpoint.port', 65536), /port/],
    ['half a priority', decodeOffer, withAt(offer, 'candidates.0.priority', 0.5), /priority/],
    ['an unknown mapping', decodeOffer, withAt(offer, 'behaviour.udp.mapping', 'cone'), /mapping/],
    [
      'a long confidence name',
      decodeOffer,
      withAt(offer, `behaviour.udp.confidence.${'a'.repeat(33)}`, 1),
      /confidence/,
    ],
    ['confidence 2', decodeOffer, withAt(offer, 'behaviour.udp.confidence.mapping', 2), /confidence/],
    [
      'a likelihood above 1',
      decodeOffer,
      withAt(offer, 'strategies.0.assessment.likelihood', 1.1),
      /likelihood/,
    ],
    [
      'a long reason',
      decodeOffer,
      withAt(offer, 'strategies.0.assessment.reason', 'x'.repeat(301)),
      /reason/,
    ],
    ['a large advert', decodeOffer, withAt(offer, 'strategies.0.advert', 'é'.repeat(600)), /advert/],
    ['a deep advert', decodeOffer, withAt(offer, 'strategies.0.advert', deep), /deep/],
    [
      'a strategy twice',
      decodeOffer,
      withAt(offer, 'strategies', [offer.strategies[0], offer.strategies[0]] as never),
      /twice/,
    ],
    ['a strategy without major', decodeOffer, withAt(offer, 'strategies.0.id', 'udp-direct'), /id/],
    [
      '33 strategies',
      decodeOffer,
      withAt(
        offer,
        'strategies',
        Array.from({ length: 33 }, (_, i) => ({ id: `s${i}@1` })),
      ),
      /strategies/,
    ],
    ['9 gateways', decodeOffer, withAt(offer, 'gateways', Array(9).fill('A')), /gateways/],
    ['a long gateway', decodeOffer, withAt(offer, 'gateways', ['A'.repeat(45)]), /gateways/],
    ['a name with an escape', decodeOffer, withAt(offer, 'name', '\u001b[2J'), /name/],
    ['no auth', decodeOffer, withAt(offer, 'auth', undefined), /auth/],
    ['auth of an unknown kind', decodeOffer, withAt(offer, 'auth', { by: 'charm' }), /auth/],
    ['a ticket without proof', decodeOffer, withAt(offer, 'auth.proof', undefined), /auth/],
    ['a long target', decodeOffer, withAt(offer, 'want.target', 'x'.repeat(271)), /target/],
    ['a negative time', decodeOffer, withAt(offer, 'clock.sentMs', -1), /sentMs/],
    ['an endless time', decodeOffer, withAt(offer, 'clock.sentMs', 1e300), /sentMs/],
    ['neither accepted nor refused', decodeAnswer, withAt(accepted, 'outcome', 'maybe'), /outcome/],
    ['a refusal without a code', decodeAnswer, withAt(refused, 'code', undefined), /code/],
    ['65 plan entries', decodeGo, withAt(go, 'plan', Array(65).fill(go.plan[0])), /plan/],
    ['a deadline before the start', decodeGo, withAt(go, 'plan.0.startMs', 501), /deadlineMs/],
    ['a plan of a day', decodeGo, withAt(go, 'plan.0.deadlineMs', 86_400_000), /deadlineMs/],
    ['a wrong answer nonce', decodeGo, withAt(go, 'answerNonce', 'A'), /answerNonce/],
    ['a large message', decodeExchange, { strategy: 'a@1', message: 'x'.repeat(1023) }, /message/],
    ['a large pairing request', decodePair1, { request: 'A'.repeat(400) }, /request/],
    [
      'a pairing response that is not base64url',
      decodePair2,
      { outcome: 'accepted', response: '+' },
      /response/,
    ],
    ['a short confirmation', decodePair3, { finish: 'A', confirmation: 'A' }, /confirmation/],
    ['an empty pair-4', decodePair4, {}, /pair-4/],
  ];
  for (const [name, decode, body, place] of table) {
    assert.throws(
      () => decode(body),
      (error) => error instanceof AwlError && error.code === 'ERR_WIRE_SCHEMA' && place.test(error.message),
      name,
    );
  }
});

test('one spelling per address', () => {
  for (const address of ['0.0.0.0', '192.0.2.255', '::', '::1', '2001:db8::1', 'fe80::1'])
    assert.ok(isCanonicalAddress(address), address);
  for (const address of [
    '',
    '1',
    '1.2.3',
    '01.2.3.4',
    '256.0.0.1',
    '0x7f.1',
    '1.2.3.4:80',
    '::01',
    '2001:DB8::1',
    '2001:db8:0:0::1',
    'fe80::1%eth0',
    '[::1]',
    '::ffff:1.2.3.4',
    'a.b',
    '1.2.3.4/',
    ':',
  ]) {
    assert.equal(isCanonicalAddress(address), false, address);
  }
});
