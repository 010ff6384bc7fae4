import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assessment } from '@awl/api';
import { makePlan, type Contender } from '../../src/punch/plan.ts';

const expects = (likelihood: number, expectedMs: number, probes: number): Assessment => ({
  likelihood,
  expectedMs,
  probes,
  reason: 'as told',
});
const both = (id: string, assessment: Assessment): Contender => ({
  id,
  local: assessment,
  remote: assessment,
});

const CASES: readonly {
  readonly name: string;
  readonly contenders: readonly Contender[];
  readonly starts: Record<string, number>;
}[] = [
  { name: 'nothing to try', contenders: [both('a@1', { likelihood: 0, reason: 'no' })], starts: {} },
  {
    name: 'cheap ones start together',
    contenders: [both('a@1', expects(0.9, 100, 10)), both('b@1', expects(0.5, 300, 40))],
    starts: { 'a@1': 0, 'b@1': 0 },
  },
  {
    name: 'a dear one waits for a likely cheap one',
    contenders: [both('cheap@1', expects(0.9, 100, 10)), both('dear@1', expects(0.9, 300, 1500))],
    starts: { 'cheap@1': 0, 'dear@1': 400 },
  },
  {
    name: 'a dear one does not wait for an unlikely cheap one',
    contenders: [both('cheap@1', expects(0.02, 100, 10)), both('dear@1', expects(0.9, 300, 1500))],
    starts: { 'cheap@1': 0, 'dear@1': 0 },
  },
  {
    name: 'a burden for routers comes last',
    contenders: [
      both('long@1', expects(0.9, 5000, 60_000)),
      both('dear@1', expects(0.5, 300, 1500)),
      both('cheap@1', expects(0.4, 100, 10)),
    ],
    starts: { 'cheap@1': 0, 'dear@1': 400, 'long@1': 1200 },
  },
  {
    name: 'the less hopeful side is believed',
    contenders: [
      { id: 'a@1', local: expects(0.9, 100, 10), remote: { likelihood: 0, reason: 'blocked there' } },
    ],
    starts: {},
  },
  {
    name: 'one assessment is enough',
    contenders: [{ id: 'a@1', local: expects(0.9, 100, 10) }],
    starts: { 'a@1': 0 },
  },
  {
    name: 'what won here before starts at once',
    contenders: [
      both('cheap@1', expects(0.9, 100, 10)),
      { ...both('dear@1', expects(0.9, 300, 1500)), wonBefore: true },
    ],
    starts: { 'cheap@1': 0, 'dear@1': 0 },
  },
];

for (const { name, contenders, starts } of CASES) {
  test(`plan: ${name}`, () => {
    const { entries, skipped } = makePlan(contenders);
    assert.deepEqual(Object.fromEntries(entries.map(({ strategy, startMs }) => [strategy, startMs])), starts);
    assert.equal(entries.length + skipped.length, contenders.length);
    for (const { startMs, deadlineMs, probes } of entries) assert.ok(deadlineMs > startMs && probes > 0);
  });
}

test('plan: a skipped strategy keeps its reason', () => {
  assert.deepEqual(makePlan([both('a@1', { likelihood: 0, reason: 'other gateway' })]).skipped, [
    { strategy: 'a@1', reason: 'other gateway' },
  ]);
});
