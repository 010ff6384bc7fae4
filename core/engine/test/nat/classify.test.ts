import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Evidence } from '@awl/api';
import { allocationLaw } from '../../src/nat/allocation.ts';
import { classify } from '../../src/nat/classify.ts';

const saw = (value: Evidence['value'], weight: number, field: Evidence['field'] = 'mapping'): Evidence => ({
  protocol: 'udp',
  field,
  value,
  weight,
  observation: '',
  source: 'test',
});

test('classify: nothing seen is unknown, not guessed', () => {
  const behaviour = classify('udp', []);
  assert.equal(behaviour.mapping, 'unknown');
  assert.deepEqual(behaviour.confidence, {});
});

test('classify: evidence of the other protocol does not count', () => {
  assert.equal(classify('tcp', [saw('EIM', 0.9)]).mapping, 'unknown');
});

test('classify: agreement raises confidence, dissent lowers it and never flips a strong verdict', () => {
  const once = classify('udp', [saw('EIM', 0.8)]);
  const twice = classify('udp', [saw('EIM', 0.8), saw('EIM', 0.8)]);
  const disputed = classify('udp', [saw('EIM', 0.8), saw('EIM', 0.8), saw('APDM', 0.5)]);
  assert.ok(twice.confidence['mapping']! > once.confidence['mapping']!);
  assert.equal(disputed.mapping, 'EIM');
  assert.ok(disputed.confidence['mapping']! < twice.confidence['mapping']!);
});

test('classify: two equal and opposite samples are no verdict', () => {
  assert.equal(classify('udp', [saw('EIM', 0.9), saw('APDM', 0.9)]).mapping, 'unknown');
});

test('classify: weak evidence is no verdict', () => {
  assert.equal(classify('udp', [saw('EIM', 0.3)]).mapping, 'unknown');
});

const LAWS: readonly {
  readonly name: string;
  readonly ports: readonly (readonly [number, number])[];
  readonly law: unknown;
}[] = [
  {
    name: 'too few to tell',
    ports: [
      [1000, 2000],
      [1000, 2001],
    ],
    law: undefined,
  },
  {
    name: 'preserving',
    ports: [
      [1000, 1000],
      [1001, 1001],
      [1002, 1002],
    ],
    law: { law: 'preserving' },
  },
  {
    name: 'contiguous',
    ports: [
      [1000, 40_000],
      [1000, 40_001],
      [1000, 40_002],
      [1000, 40_003],
    ],
    law: { law: 'contiguous', step: 1 },
  },
  {
    name: 'contiguous by two',
    ports: [
      [1000, 40_000],
      [1000, 40_002],
      [1000, 40_004],
    ],
    law: { law: 'contiguous', step: 2 },
  },
  {
    name: 'contiguous downward',
    ports: [
      [1000, 40_003],
      [1000, 40_002],
      [1000, 40_001],
    ],
    law: { law: 'contiguous', step: -1 },
  },
  {
    name: 'contiguous with others’ traffic in between',
    ports: [
      [1000, 40_000],
      [1000, 40_001],
      [1000, 40_004],
      [1000, 40_005],
    ],
    law: { law: 'contiguous', step: 1 },
  },
  {
    name: 'a block',
    ports: [
      [1000, 40_700],
      [1000, 40_100],
      [1000, 41_500],
    ],
    law: { law: 'block' },
  },
  {
    name: 'random',
    ports: [
      [1000, 4000],
      [1000, 61_000],
      [1000, 23_000],
    ],
    law: { law: 'random' },
  },
];

for (const { name, ports, law } of LAWS) {
  test(`allocation: ${name}`, () => {
    assert.deepEqual(
      allocationLaw(ports.map(([localPort, externalPort]) => ({ localPort, externalPort }))),
      law,
    );
  });
}
