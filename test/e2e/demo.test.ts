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
