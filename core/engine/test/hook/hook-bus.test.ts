import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '@awl/engine';
import { HookBus, type TapFailure } from '../../src/hook/hook-bus.ts';

const owner = (plugin: string) => ({ plugin, capabilities: [] });
const candidate = {
  type: 'host',
  protocol: 'udp',
  endpoint: { address: '192.0.2.1', port: 9 },
  priority: 1,
} as const;

function bus(): { readonly hooks: HookBus; readonly failures: TapFailure[] } {
  const failures: TapFailure[] = [];
  return { hooks: new HookBus(realClock, (failure) => failures.push(failure)), failures };
}

test('taps run pre, normal, post, whatever the order of registration', async () => {
  const { hooks } = bus();
  const order: string[] = [];
  hooks.tap('forward.willOpen', () => void order.push('post'), owner('a'), 'post');
  hooks.tap('forward.willOpen', () => void order.push('normal'), owner('b'));
  hooks.tap('forward.willOpen', () => void order.push('pre'), owner('c'), 'pre');
  await hooks.series('forward.willOpen', { forward: 'f', listen: ':1', peer: 'p' });
  assert.deepEqual(order, ['pre', 'normal', 'post']);
});

test('waterfall: each tap changes the value for the next; one that returns nothing leaves it', async () => {
  const { hooks } = bus();
  hooks.tap('candidate.filter', (list) => [...list, candidate], owner('a'));
  hooks.tap('candidate.filter', () => undefined, owner('b'));
  hooks.tap('candidate.filter', (list) => list.slice(1), owner('c'));
  assert.deepEqual(await hooks.waterfall('candidate.filter', [candidate]), [candidate]);
});

test('collect: lists are joined, a failing tap costs its own only', async () => {
  const { hooks, failures } = bus();
  hooks.tap('candidate.gather', () => [candidate], owner('a'));
  hooks.tap('candidate.gather', () => Promise.reject(new Error('broken')), owner('b'));
  hooks.tap('candidate.gather', () => [candidate], owner('c'));
  assert.equal((await hooks.collect('candidate.gather', { peer: 'p' })).length, 2);
  assert.equal(failures[0]?.reason, 'broken');
});

test('bail: the first answer decides, and a later tap is not asked', async () => {
  const { hooks } = bus();
  let asked = false;
  hooks.tap('transport.choose', () => 'kcp', owner('a'));
  hooks.tap('transport.choose', () => void (asked = true), owner('b'));
  assert.equal(await hooks.bail('transport.choose', { peer: 'p', available: ['kcp'] }), 'kcp');
  assert.equal(asked, false);
});

test('a tap that does not answer in time has failed', async () => {
  const { hooks, failures } = bus();
  hooks.tap('transport.choose', () => new Promise(() => {}), owner('slow'));
  assert.equal(await hooks.bail('transport.choose', { peer: 'p', available: [] }), undefined);
  assert.match(failures[0]!.reason, /no answer within 100 ms/);
});

test('five failures in a row quarantine a tap; a success in between does not', async () => {
  const { hooks, failures } = bus();
  let calls = 0;
  hooks.tap(
    'candidate.gather',
    () => {
      calls += 1;
      if (calls !== 3) throw new Error('broken');
      return [];
    },
    owner('a'),
  );
  for (let time = 0; time < 20; time++) await hooks.collect('candidate.gather', { peer: 'p' });
  assert.equal(calls, 8);
  assert.equal(failures.at(-1)?.quarantined, true);
});

test('an authorizing tap that fails denies, and goes on denying in quarantine, until it is removed', async () => {
  const { hooks } = bus();
  const guard = hooks.tap(
    'peer.authorize',
    () => {
      throw new Error('broken');
    },
    owner('guard'),
  );
  const request = { peer: 'p', by: 'ticket' } as const;
  for (let time = 0; time < 7; time++)
    assert.match((await hooks.bail('peer.authorize', request))?.deny ?? '', /guard of plugin guard fails/);
  guard[Symbol.dispose]();
  assert.equal(await hooks.bail('peer.authorize', request), undefined);
});
