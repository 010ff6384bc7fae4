import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { awl, Awl } from './support/awl.ts';

test('the demo transfers, tells what happened, and leaves nothing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'awl-e2e-demo-'));
  try {
    const { code, stdout, stderr } = await awl(['demo', '--mib', '8'], { env: { TMPDIR: directory } });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Path +lan by/);
    assert.match(stdout, /SHA-256 +[0-9a-f]{16}… as sent/);
    assert.doesNotMatch(stderr, /Warning/);
    assert.deepEqual(await readdir(directory), []);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('the demo speaks NDJSON, and ends cleanly when interrupted', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'awl-e2e-demo-'));
  try {
    await using demo = new Awl(['demo', '--json', '--mib', '512'], { env: { TMPDIR: directory } });
    await demo.event('path.selected');
    const { code, stdout } = await demo.stop();
    assert.equal(code, 0);
    for (const line of stdout.trim().split('\n')) assert.ok('event' in (JSON.parse(line) as object));
    assert.deepEqual(await readdir(directory), []);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('the demo over simulated NATs tells how the race was won', async () => {
  const { code, stdout, stderr } = await awl(['demo', '--nat', 'P:X']);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^SIMULATED: .*P:X/);
  assert.match(stdout, /udp-birthday@1 starts/);
  assert.match(stdout, /✔ (udp|tcp)-birthday@1 won after .+, \d+ probes/);
});

test('the demo over simulated NATs says why a pair cannot connect', async () => {
  const { code, stdout, stderr } = await awl(['demo', '--nat', 'X:X']);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /ERR_PATH_BOTH_RANDOM/);
  assert.match(stdout, /Cause +Both routers/);
  assert.match(stdout, /Remedy +.*port mapping/);
});

test('the demo over simulated NATs speaks NDJSON', async () => {
  const { code, stdout } = await awl(['demo', '--nat', 'P:P', '--json']);
  assert.equal(code, 0);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const names = events.map(({ event }) => event);
  for (const name of ['nat.behaviour', 'signal.agreed', 'attempt.ended', 'path.selected'])
    assert.ok(names.includes(name), name);
  const { event, simulated, connected } = events.at(-1)!;
  assert.deepEqual({ event, simulated, connected }, { event: 'demo.done', simulated: true, connected: true });
});

test('a kind of NAT that is not known is a mistake, answered with those that are', async () => {
  const { code, stderr } = await awl(['demo', '--nat', 'P:nonsense']);
  assert.equal(code, 2);
  assert.match(stderr, /open, F, R, P.*ERR_USAGE/s);
});
