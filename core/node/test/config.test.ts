import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { checkConfig } from '../src/config/check.ts';
import { HomeConfig } from '../src/config/home-config.ts';
import { parseTyped, valueAt, withValue } from '../src/config/keys.ts';
import { loadConfig } from '../src/config/load.ts';
import { homeOf } from '../src/home.ts';
import { diskFiles } from '../src/storage/files.ts';
import { failsWith, temporaryDirectory } from './support.ts';

test('a wrong configuration is refused with its file and the path in it', () => {
  const cases: [name: string, value: unknown, message: RegExp][] = [
    ['unknown key', { nam: 'x' }, /f\.json: \/ has the unknown key "nam"/],
    ['unknown key inside', { limits: { sokets: 1 } }, /\/limits has the unknown key "sokets"/],
    ['wrong type', { name: 5 }, /\/name must be string/],
    ['out of range', { limits: { sockets: 0 } }, /\/limits\/sockets must be >= 1/],
    ['not in the list', { transport: 'pigeon' }, /\/transport must be one of any, udp, tcp/],
    ['not an object', [], /f\.json: \/ must be object/],
    ['no name', { name: 'two words' }, /\/name must be letters/],
    ['no rendezvous', { rendezvous: { url: 'http://x' } }, /\/rendezvous\/url must be awl:/],
    ['missing part', { forwards: [{ peer: 'a' }] }, /\/forwards\/0 must have required properties listen/],
  ];
  for (const [name, value, message] of cases) {
    assert.throws(() => checkConfig(value, 'f.json'), failsWith('ERR_CONFIG_INVALID', message), name);
  }
});

test('values are set and read by dotted keys', () => {
  const cases: [key: string, typed: string, stored: unknown][] = [
    ['name', 'office', 'office'],
    ['password', '12345678', '12345678'],
    ['limits.sockets', '2048', 2048],
    ['strategies.udp-birthday-both.enabled', 'true', true],
    ['settings.lucky.attempts', '3', 3],
    ['shares', '[{"target":"80"}]', [{ target: '80' }]],
  ];
  for (const [key, typed, stored] of cases) {
    const config = withValue({}, key, parseTyped({}, key, typed));
    assert.deepEqual(valueAt(config, key), stored, key);
    assert.deepEqual(valueAt(withValue(config, key, null), key), undefined, `${key} removed`);
  }
  for (const key of ['nam', '__proto__.x', 'limits.__proto__', 'limits..x', 'constructor']) {
    assert.throws(() => withValue({}, key, 'x'), failsWith('ERR_CONFIG_INVALID'), key);
  }
});

test('AWL_HOME may have code, and what awl wrote wins over it', async () => {
  await using directory = await temporaryDirectory();
  const home = homeOf(directory.path);
  await writeFile(
    join(home.directory, 'awl.config.ts'),
    "export default { name: 'a' as string, transport: 'udp' };",
  );
  await new HomeConfig(home, diskFiles).set('name', 'b');
  assert.deepEqual(await loadConfig({ home }), { name: 'b', transport: 'udp' });
});

test('the working directory gives data, never code', async (t) => {
  const cases: [name: string, file: string, content: string, expected: RegExp | object, code?: string][] = [
    ['json', 'awl.config.json', '{"name":"x"}', { name: 'x' }],
    ['yaml', 'awl.config.yaml', 'name: y\n', { name: 'y' }],
    ['rc', '.awlrc', 'name: z\n', { name: 'z' }],
    ['package.json', 'package.json', '{"awl":{"name":"p"}}', { name: 'p' }],
    ['code', 'awl.config.js', 'globalThis.ran = true; export default {}', /is code/, 'ERR_CONFIG_UNSAFE'],
    [
      'typed code',
      'awl.config.ts',
      'globalThis.ran = true; export default {}',
      /is code/,
      'ERR_CONFIG_UNSAFE',
    ],
    ['plugins', '.awlrc.json', '{"plugins":{"x":{"enabled":true}}}', /sets "plugins"/, 'ERR_CONFIG_UNSAFE'],
    ['settings', '.awlrc.json', '{"settings":{"a":1}}', /sets "settings"/, 'ERR_CONFIG_UNSAFE'],
    ['password', 'awl.config.yml', 'password: hunter2222', /sets "password"/, 'ERR_CONFIG_UNSAFE'],
    ['broken json', 'awl.config.json', '{', /awl\.config\.json/, 'ERR_CONFIG_INVALID'],
    ['bomb', '.awlrc', `a: &a [x, x]\nb: [*a, *a]\n`, /unknown key/, 'ERR_CONFIG_INVALID'],
  ];
  for (const [name, file, content, expected, code] of cases) {
    await t.test(name, async () => {
      await using directory = await temporaryDirectory();
      await using work = await temporaryDirectory();
      await writeFile(join(work.path, file), content);
      const loading = loadConfig({ home: homeOf(directory.path), workingDirectory: work.path });
      if (expected instanceof RegExp) await assert.rejects(loading, failsWith(code ?? '', expected));
      else assert.deepEqual(await loading, expected);
      assert.equal(Object.hasOwn(globalThis, 'ran'), false);
    });
  }
});

test("the loader's own configuration in the working directory is not run", async () => {
  await using directory = await temporaryDirectory();
  await using work = await temporaryDirectory();
  const marker = join(work.path, 'ran');
  await mkdir(join(work.path, '.config'));
  await writeFile(
    join(work.path, '.config', 'config.js'),
    `require('node:fs').writeFileSync(${JSON.stringify(marker)}, ''); module.exports = {};`,
  );
  const before = process.cwd();
  process.chdir(work.path);
  try {
    await loadConfig({ home: homeOf(directory.path), workingDirectory: work.path });
    assert.equal(process.cwd(), work.path);
  } finally {
    process.chdir(before);
  }
  assert.equal(existsSync(marker), false);
});

test('a file named with --config wins, and may be code', async () => {
  await using directory = await temporaryDirectory();
  const home = homeOf(directory.path);
  await new HomeConfig(home, diskFiles).set('name', 'home');
  const configFile = join(home.directory, 'other.ts');
  await writeFile(configFile, "export default { name: 'named' };");
  assert.equal((await loadConfig({ home, configFile })).name, 'named');
  const missing = loadConfig({ home, configFile: join(home.directory, 'missing.json') });
  await assert.rejects(missing, failsWith('ERR_CONFIG_INVALID', /does not exist/));
});
