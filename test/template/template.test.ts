/**
 * What a plugin author does, from a copy of the template to two nodes behind NATs that it connects: outside of this repository, with what is
 * in the copy alone.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { ensureBuilt, REPOSITORY } from '../e2e/support/build.ts';
import { Awl } from '../netns/support/awl.ts';
import { Homes, SRV_ADDRESSES, whyNot, type HostName } from '../netns/support/homes.ts';

const run = promisify(execFile);
const AWL = join(REPOSITORY, 'tui', 'bin', 'awl.js');
const BUILT_IN_UDP = [
  'udp-direct',
  'udp-predict',
  'udp-birthday',
  'udp-sweep',
  'udp-birthday-both',
  'lan-direct',
];

const reason = await whyNot('curl');
const parent = mkdtempSync(join(tmpdir(), 'awl-template-'));
const plugin = join(parent, 'lucky-ports');
const tarball = join(plugin, 'awl-plugin-lucky-ports-0.1.0.tgz');
const homeOf = (name: string): string => join(parent, `home-${name}`);

/** What an author's terminal has: this Node, and nothing of the repository or of this test's runner. */
const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, NODE_ENV: _mode, ...inherited } = process.env;
const environment = {
  ...inherited,
  PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
};
const npm = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  run('npm', args, { cwd: plugin, env: environment, maxBuffer: 1 << 24 });

async function awl(home: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [AWL, ...args], {
    env: { ...process.env, AWL_HOME: homeOf(home) },
    cwd: parent,
  });
  return stdout;
}

interface Row {
  readonly id: string;
  readonly status: string;
  readonly version: string;
  readonly builtIn: boolean;
}

describe('the plugin template', () => {
  before(async () => {
    await ensureBuilt();
    await awl('a', 'plugin', 'new', 'lucky-ports');
  });
  after(() => rmSync(parent, { recursive: true, force: true }));

  it('a copy installs, passes its lint and its tests, builds and packs', async () => {
    await npm('install', '--no-audit', '--no-fund');
    await npm('run', 'lint');
    const { stdout } = await npm('test');
    assert.match(stdout, /fail 0/);
    assert.match(stdout, /keeps the contract of a strategy/);
    await npm('pack');
    assert.ok(existsSync(tarball));
  });

  it('installs on two nodes', async () => {
    for (const home of ['a', 'b']) {
      await awl(home, 'plugin', 'install', tarball, '--yes');
      const { plugins } = JSON.parse(await awl(home, 'plugin', 'ls', '--json')) as {
        readonly plugins: readonly Row[];
      };
      const row = plugins.find(({ id }) => id === 'lucky-ports');
      assert.deepEqual([row?.status, row?.version, row?.builtIn], ['inactive', '0.1.0', false]);
      for (const strategy of BUILT_IN_UDP)
        await awl(home, 'config', 'set', `strategies.${strategy}.enabled`, 'false');
    }
  });

  it(
    'connects two nodes behind NATs, with the built-in UDP strategies disabled',
    { skip: reason, timeout: 120_000 },
    async () => {
      await using homes = await Homes.create('preserving', 'preserving');
      const start = (host: HostName, ...args: string[]): Awl =>
        new Awl(
          homes.spawn(host, process.execPath, [AWL, ...args, '--json'], {
            env: { ...process.env, AWL_HOME: homeOf(host) },
          }),
        );
      const web = homes.spawn('a', process.execPath, [
        '-e',
        `require('node:http').createServer((_, response) => response.end('hello')).listen(8000, '127.0.0.1', () => console.log('ready'))`,
      ]);
      await new Promise((resolve) => web.stdout!.once('data', resolve));
      await start('srv', 'rendezvous', '--host', SRV_ADDRESSES[0], '--alt-address', SRV_ADDRESSES[1]).event(
        'rendezvous.ready',
      );
      const { ticket } = await start(
        'a',
        'share',
        '8000',
        '--rendezvous',
        `awl://${SRV_ADDRESSES[0]}`,
        '--transport',
        'udp',
      ).event('share.ready');
      const connect = start('b', 'connect', String(ticket), '--listen', ':8585', '--transport', 'udp');
      const path = await connect.event('path.selected');
      assert.equal(path['strategy'], 'lucky-ports@1');
      await connect.event('forward.listening');
      assert.equal(
        await homes.exec('b', 'curl', '-sS', '--max-time', '20', 'http://127.0.0.1:8585/'),
        'hello',
      );
    },
  );
});
