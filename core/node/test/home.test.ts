import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { homeDirectory, openHome } from '../src/home.ts';
import { loadIdentity } from '../src/key-file.ts';
import { KnownRendezvous } from '../src/known-rendezvous.ts';
import { diskFiles, type Files } from '../src/storage/files.ts';
import { failsWith, temporaryDirectory } from './support.ts';

const fullDisk: Files = {
  write: () =>
    Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })),
};

test('AWL_HOME is where it says, or the system place', () => {
  assert.equal(homeDirectory({ AWL_HOME: '/x/y' }), '/x/y');
  assert.match(homeDirectory({}), /awl$/);
});

test('the home is private', async () => {
  await using directory = await temporaryDirectory();
  const made = await openHome(join(directory.path, 'new', 'home'));
  assert.equal((await stat(made.directory)).mode & 0o777, 0o700);

  const empty = join(directory.path, 'empty');
  await mkdir(empty);
  await chmod(empty, 0o755);
  await openHome(empty);
  assert.equal((await stat(empty)).mode & 0o777, 0o700);

  const open = join(directory.path, 'open');
  await mkdir(open);
  await writeFile(join(open, 'something'), '');
  await chmod(open, 0o777);
  await assert.rejects(openHome(open), failsWith('ERR_STORAGE', /Other users can write/));
  await assert.rejects(openHome(join(open, 'something')), failsWith('ERR_STORAGE'));
});

test('the key is made once, private, and a damaged or open one is refused', async (t) => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'key.pem');
  const identity = await loadIdentity(path, diskFiles);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await loadIdentity(path, diskFiles)).peerId, identity.peerId);
  const good = await readFile(path, 'utf8');
  const cases: [name: string, content: string, mode: number, message: RegExp][] = [
    ['readable by others', good, 0o644, /readable by other users/],
    ['half', good.slice(0, good.length / 2), 0o600, /key\.pem/],
    ['empty', '', 0o600, /holds 0/],
    ['garbage', '\0\xff'.repeat(100), 0o600, /holds 0/],
    ['huge', 'x'.repeat(5000), 0o600, /too large/],
  ];
  for (const [name, content, mode, message] of cases) {
    await t.test(name, async () => {
      await writeFile(path, content);
      await chmod(path, mode);
      await assert.rejects(loadIdentity(path, diskFiles), failsWith('ERR_KEY_FILE', message));
      await chmod(path, 0o600);
    });
  }
});

test('a full disk at the first start is told plainly and leaves no half key', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'key.pem');
  await assert.rejects(loadIdentity(path, fullDisk), failsWith('ERR_STORAGE', /key\.pem: the disk is full/));
  await assert.rejects(stat(path));
});

test('keys of rendezvous are remembered and forgotten', async () => {
  await using directory = await temporaryDirectory();
  const known = new KnownRendezvous(join(directory.path, 'rendezvous.json'), diskFiles);
  const place = { host: 'rv.example.org', port: 7777 };
  assert.equal(await known.fingerprintOf(place), undefined);
  await known.remember(place, 'abc');
  assert.equal(await known.fingerprintOf(place), 'abc');
  assert.equal(await known.fingerprintOf({ ...place, port: 7000 }), undefined);
  assert.equal(await known.forget(place), true);
  assert.equal(await known.forget(place), false);
});
