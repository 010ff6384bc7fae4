import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNKNOWN_BEHAVIOUR, type BehaviourVector, type TransportBehaviour } from '@awl/api';
import { verdict } from '../../src/punch/verdict.ts';

const side = (
  udp: Partial<TransportBehaviour>,
  tcp: Partial<TransportBehaviour> = { mapping: 'EIM' },
): BehaviourVector => ({
  udp: { ...UNKNOWN_BEHAVIOUR, natted: true, ...udp },
  tcp: { ...UNKNOWN_BEHAVIOUR, natted: true, ...tcp },
});
const P = side({ mapping: 'EIM' });
const A = side({ mapping: 'ADM' });
const X = side({ mapping: 'APDM', allocation: 'random' });
const BLOCKED = side({ blocked: true });

const CASES: readonly {
  readonly name: string;
  readonly pair: readonly [BehaviourVector, BehaviourVector];
  readonly tried: number;
  readonly code: string;
  readonly says: RegExp;
}[] = [
  {
    name: 'two random sides',
    pair: [X, X],
    tried: 0,
    code: 'ERR_PATH_BOTH_RANDOM',
    says: /neither side knows where to send/,
  },
  {
    name: 'a port per address and a random one',
    pair: [A, X],
    tried: 0,
    code: 'ERR_PATH_BOTH_RANDOM',
    says: /neither side knows where to send/,
  },
  {
    name: 'UDP blocked here',
    pair: [BLOCKED, P],
    tried: 1,
    code: 'ERR_PATH_UDP_BLOCKED',
    says: /^This side blocks UDP/,
  },
  {
    name: 'UDP blocked there',
    pair: [P, BLOCKED],
    tried: 1,
    code: 'ERR_PATH_UDP_BLOCKED',
    says: /^The other side blocks UDP/,
  },
  {
    name: 'UDP blocked and TCP random on both',
    pair: [side({ blocked: true }, { mapping: 'APDM' }), side({}, { mapping: 'APDM' })],
    tried: 0,
    code: 'ERR_PATH_UDP_BLOCKED',
    says: /unpredictable TCP port/,
  },
  {
    name: 'everything tried',
    pair: [P, P],
    tried: 2,
    code: 'ERR_PATH_NO_ANSWER',
    says: /2 strategies were tried/,
  },
  { name: 'nothing fits', pair: [P, P], tried: 0, code: 'ERR_PATH_NO_STRATEGY', says: /./ },
];

for (const { name, pair, tried, code, says } of CASES) {
  test(`verdict: ${name}`, () => {
    const failure = verdict(...pair, tried);
    assert.equal(failure.code, code);
    assert.match(failure.message, says);
    assert.ok(failure.remedy.length > 0);
  });
}
