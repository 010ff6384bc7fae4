import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conformance, type Problem } from '@awl/testkit';
import { connected, delay, failed, type PunchStrategy } from '@awl/api';
import { endpointOf, plainDirect } from './plain-direct.ts';

const FEW = { kinds: ['P', 'X'], seeds: 12 } as const;

describe('the conformance kit', () => {
  it('accepts a strategy that keeps the contract', async () => {
    const report = await conformance(plainDirect, { kinds: ['open', 'P', 'X', 'cgn', 'samelan'], seeds: 50 });
    assert.deepEqual(report.problems, [], report.text);
    assert.match(report.text, /plain-direct@1 conforms\n.*P × P: claimed 0\.98, reached 1\.00/s);
    assert.ok(report.runs >= 50);
  });

  let calls = 0;
  const mutants: readonly [
    name: string,
    rule: Problem['rule'],
    fix: RegExp,
    changes: Partial<PunchStrategy>,
  ][] = [
    ['has no version', 'id', /name@major/, { id: 'plain-direct' }],
    [
      'assesses at random',
      'assess',
      /no Math.random/,
      { assess: (pair) => ({ ...claim(0.5), likelihood: pair.sameLan ? 0 : Math.random() }) },
    ],
    ['counts in assess', 'assess', /no state of your own/, { assess: () => claim(1 / (2 + (calls++ % 3))) }],
    [
      'changes the pair',
      'assess',
      /frozen/,
      { assess: (pair) => (Object.assign(pair.local, { layers: 3 }), claim(0.9)) },
    ],
    [
      'takes its time to assess',
      'assess',
      /50 ms/,
      { assess: () => new Promise((resolve) => setTimeout(resolve, 20, claim(0.9))) },
    ],
    ['claims 150 %', 'assess', /0 to 1/, { assess: () => claim(1.5) }],
    ['gives no reason', 'assess', /why/, { assess: () => ({ likelihood: 0.9, reason: '' }) }],
    ['claims what it cannot', 'honesty', /Claim less/, { assess: () => claim(0.9) }],
    [
      'claims nothing although it works',
      'honesty',
      /Claim more/,
      { assess: (pair) => ({ ...plainClaim(pair), likelihood: plainClaim(pair).likelihood / 4 }) },
    ],
    [
      'promises to be quick',
      'honesty',
      /expectedMs/,
      { assess: (pair) => ({ ...plainClaim(pair), expectedMs: 1 }), punch: slowPunch },
    ],
    ['claims no pair', 'assess', /above 0/, { assess: () => ({ likelihood: 0, reason: 'never' }) }],
    ['throws', 'outcome', /expected failure is a value/, { punch: () => Promise.reject(new Error('no')) }],
    ['ignores abort', 'abort', /attempt.signal/, { punch: deafPunch }],
    ['ignores the deadline', 'deadline', /undefined at the deadline/, { punch: deafPunch }],
    ['asks for more than it said', 'budget', /stay within/, { punch: greedyPunch }],
    ['loses leases', 'leases', /Return every lease/, { prepare: leakyPrepare }],
    ['leaves its schedule running', 'leases', /before punch returns/, { punch: carelessPunch }],
    ['says too much', 'advert', /only what the other side needs/, { prepare: talkativePrepare }],
    ['trusts the advert', 'advert', /check its shape/, { punch: trustingPunch }],
    ['works as controlling only', 'honesty', /Claim less/, { punch: lordlyPunch }],
    ['rolls dice of its own', 'replay', /attempt.random/, { punch: dicePunch }],
  ];
  for (const [name, rule, fix, changes] of mutants) {
    it(`finds a strategy that ${name}`, async () => {
      const { problems, text } = await conformance({ ...plainDirect, ...changes }, FEW);
      assert.ok(
        problems.some((problem) => problem.rule === rule && fix.test(problem.fix)),
        text,
      );
    });
  }
});

function claim(likelihood: number): ReturnType<typeof plainClaim> {
  return { likelihood, expectedMs: 150, probes: 18, reason: 'because' };
}

function plainClaim(pair: Parameters<PunchStrategy['assess']>[0]) {
  return plainDirect.assess(pair) as Exclude<ReturnType<PunchStrategy['assess']>, Promise<unknown>>;
}

type Punch = PunchStrategy['punch'];

async function slowPunch(attempt: Parameters<Punch>[0]): ReturnType<Punch> {
  const outcome = await plainDirect.punch(attempt);
  await delay(attempt.clock, 1000, attempt.signal).catch(() => {});
  return outcome;
}

async function deafPunch(attempt: Parameters<Punch>[0]): ReturnType<Punch> {
  const outcome = await plainDirect.punch(attempt);
  if (outcome.outcome === 'failed') await delay(attempt.clock, 700);
  return outcome;
}

async function greedyPunch(attempt: Parameters<Punch>[0]): ReturnType<Punch> {
  const { leases, peerAdvert, signal } = attempt;
  const to = endpointOf(peerAdvert);
  const [lease] = leases;
  if (!to || lease?.protocol !== 'udp') return failed('bad-advert', 'no address');
  using _ = lease.sweep({ kind: 'check', to: to.address, ports: 'random', count: 5000, ratePps: 1000 });
  return signal.aborted ? failed('aborted', 'aborted') : await plainDirect.punch(attempt);
}

async function leakyPrepare(
  context: Parameters<NonNullable<PunchStrategy['prepare']>>[0],
): Promise<Awaited<ReturnType<NonNullable<PunchStrategy['prepare']>>>> {
  await context.sockets.openUdp({ count: 3 });
  return await plainDirect.prepare!(context);
}

async function talkativePrepare(
  context: Parameters<NonNullable<PunchStrategy['prepare']>>[0],
): Promise<Awaited<ReturnType<NonNullable<PunchStrategy['prepare']>>>> {
  const prepared = await plainDirect.prepare!(context);
  return { ...prepared, advert: { ...(prepared.advert as object), story: 'x'.repeat(2000) } };
}

async function carelessPunch({
  leases: [lease],
  peerAdvert,
  nextCheck,
}: Parameters<Punch>[0]): ReturnType<Punch> {
  const to = endpointOf(peerAdvert);
  if (!to || lease?.protocol !== 'udp') return failed('bad-advert', 'no address');
  lease.schedule([0, 30, 80, 150, 2500, 3500].map((atMs) => ({ kind: 'check', to, atMs })));
  const check = await nextCheck(300);
  return check ? connected(check) : failed('no-answer', 'nothing came back');
}

async function trustingPunch(attempt: Parameters<Punch>[0]): ReturnType<Punch> {
  const { address } = attempt.peerAdvert as { readonly address: string };
  address.split('.');
  return await plainDirect.punch(attempt);
}

async function lordlyPunch(attempt: Parameters<Punch>[0]): ReturnType<Punch> {
  return attempt.role === 'controlling'
    ? failed('unsuitable', 'too noble')
    : await plainDirect.punch(attempt);
}

async function dicePunch(attempt: Parameters<Punch>[0]): ReturnType<Punch> {
  await delay(attempt.clock, Math.random() * 50, attempt.signal).catch(() => {});
  return await plainDirect.punch(attempt);
}
