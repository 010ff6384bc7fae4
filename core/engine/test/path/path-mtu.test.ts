import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@awl/testkit';
import { PathMtu, payloadBytes } from '../../src/path/path-mtu.ts';

interface Setup {
  readonly clock: VirtualClock;
  readonly mtu: PathMtu;
  readonly probed: number[];
  readonly changes: number[];
  /** The largest UDP payload that passes. */
  carries: number;
  inUse: boolean;
}

function setup(carries: number, linkMtuBytes = 1500): Setup {
  const clock = new VirtualClock();
  const probed: number[] = [];
  const changes: number[] = [];
  const state = { clock, probed, changes, carries, inUse: false } as Setup & { mtu: PathMtu };
  state.mtu = new PathMtu({
    clock,
    family: 4,
    linkMtuBytes,
    probe: (bytes, onAnswer) => {
      probed.push(bytes);
      if (bytes <= state.carries) clock.schedule(10, onAnswer);
    },
    onChange: (bytes) => changes.push(bytes),
    inUse: () => state.inUse,
  });
  return state;
}

test('the search goes up to the MTU of the link', async () => {
  const state = setup(65_000);
  await state.clock.run({ untilMs: 500 });
  assert.equal(state.mtu.sizeBytes, 1472);
  assert.deepEqual(state.changes, state.probed);
  assert.ok(state.probed.every((bytes) => bytes <= payloadBytes(1500, 4)));
});

test('where the link carries more, so do datagrams', async () => {
  const state = setup(65_507, 65_536);
  await state.clock.run({ untilMs: 500 });
  assert.ok(state.mtu.sizeBytes > 16_384);
});

test('each size is probed once, and what was not answered ends the search', async () => {
  const state = setup(1420);
  await state.clock.run({ untilMs: 60_000 });
  assert.equal(state.mtu.sizeBytes, 1412);
  assert.deepEqual(state.probed, [1372, 1412, 1452]);
});

test('the search is made again after ten minutes', async () => {
  const state = setup(1420);
  await state.clock.run({ untilMs: 60_000 });
  state.carries = 1472;
  await state.clock.run({ untilMs: 620_000 });
  assert.equal(state.mtu.sizeBytes, 1472);
});

test('a path that comes to swallow large datagrams is noticed while they are in use', async () => {
  const state = setup(1472);
  await state.clock.run({ untilMs: 2000 });
  state.carries = 1200;
  const idle = state.probed.length;
  await state.clock.run({ untilMs: 30_000 });
  assert.equal(state.probed.length, idle, 'nothing is sent while nothing is in use');
  state.inUse = true;
  await state.clock.run({ untilMs: 38_000 });
  assert.equal(state.mtu.sizeBytes, 1200);
  assert.equal(state.changes.at(-1), 1200);
});

test('single lost confirmations change nothing', async () => {
  const state = setup(1472);
  state.inUse = true;
  for (let turn = 0; turn < 20; turn++) {
    state.carries = turn % 2 === 0 ? 1472 : 1200;
    await state.clock.run({ untilMs: 1000 + turn * 2000 });
  }
  assert.equal(state.mtu.sizeBytes, 1472);
});

test('nothing is left after the end', async () => {
  const state = setup(1472);
  state.mtu[Symbol.dispose]();
  await state.clock.run({ untilMs: 700_000 });
  assert.equal(state.probed.length, 1);
  assert.equal(state.mtu.sizeBytes, 1200);
});
