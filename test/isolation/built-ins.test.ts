/** The built-in strategies in a plugin process, over kernel NATs: what they reach in the node's own process they must reach there too. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'rolldown';
import { ensureBuilt, REPOSITORY } from '../e2e/support/build.ts';
import { Awl } from '../netns/support/awl.ts';
import { Homes, SRV_ADDRESSES, whyNot, type HomeNat, type HostName } from '../netns/support/homes.ts';

const run = promisify(execFile);
const AWL = join(REPOSITORY, 'tui', 'bin', 'awl.js');
const reason = await whyNot('curl');
const parent = mkdtempSync(join(tmpdir(), 'awl-isolated-'));
const plugin = join(parent, 'awl-plugin-isolated');
const homeOf = (name: string): string => join(parent, `home-${name}`);

const STRATEGIES = [
  ['udp', 'udp-direct'],
  ['udp', 'udp-predict'],
  ['udp', 'udp-birthday'],
  ['udp', 'udp-sweep'],
  ['tcp', 'tcp-simultaneous-open'],
  ['tcp', 'tcp-birthday'],
] as const;

/** The built-in plugins' own code, registered under other names, as a package that awl installs. */
async function writePackage(): Promise<void> {
  mkdirSync(plugin, { recursive: true });
  const entry = join(plugin, 'entry.ts');
  writeFileSync(
    entry,
    `import { activate as udp } from '${REPOSITORY}/plugins/udp-kcp/src/index.ts';
     import { activate as tcp } from '${REPOSITORY}/plugins/tcp-simultaneous-open/src/index.ts';
     const names = ${JSON.stringify(STRATEGIES.map(([, name]) => `${name}@1`))};
     export function activate(context) {
       const register = (strategy) => { if (names.includes(strategy.id)) context.strategies.register({ ...strategy, id: 'isolated-' + strategy.id }); };
       for (const part of [udp, tcp]) part({ ...context, strategies: { register }, transports: { register() {} } });
     }`,
  );
  await build({
    input: entry,
    platform: 'node',
    external: ['@awl/api'],
    resolve: { conditionNames: ['source', 'import', 'node', 'default'] },
    logLevel: 'silent',
    output: { file: join(plugin, 'index.js'), format: 'esm' },
  });
  const manifest = {
    name: 'awl-plugin-isolated',
    version: '1.0.0',
    type: 'module',
    exports: './index.js',
    engines: { awl: '*' },
    capabilities: ['udp', 'tcp'],
    contributes: {
      strategies: STRATEGIES.map(([transport, name]) => ({
        id: `isolated-${name}`,
        version: 1,
        transport,
        title: name,
      })),
    },
  };
  writeFileSync(join(plugin, 'package.json'), JSON.stringify(manifest));
}

const CASES: readonly (readonly [
  nats: readonly [HomeNat, HomeNat],
  transport: 'udp' | 'tcp',
  winner: string,
])[] = [
  [['preserving', 'preserving'], 'udp', 'isolated-udp-direct@1'],
  [['preserving', 'preserving'], 'tcp', 'isolated-tcp-simultaneous-open@1'],
  [['preserving', 'random'], 'udp', 'isolated-udp-birthday@1'],
  [['random', 'preserving'], 'tcp', 'isolated-tcp-birthday@1'],
];

describe('built-in strategies in a plugin process', { skip: reason }, () => {
  before(async () => {
    await ensureBuilt();
    await writePackage();
    for (const home of ['a', 'b']) {
      await run(process.execPath, [AWL, 'plugin', 'install', plugin, '--yes'], {
        env: { ...process.env, AWL_HOME: homeOf(home) },
      });
    }
  });
  after(() => rmSync(parent, { recursive: true, force: true }));

  for (const [nats, transport, winner] of CASES) {
    it(`${nats.join(' × ')} by ${transport}: ${winner}`, { timeout: 120_000 }, async () => {
      await using homes = await Homes.create(...nats);
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
      const { ticket } = await start('a', 'share', '8000', '--rendezvous', `awl://${SRV_ADDRESSES[0]}`).event(
        'share.ready',
      );
      const strategies = STRATEGIES.map(([, name]) => `isolated-${name}`).join(',');
      const connect = start(
        'b',
        'connect',
        String(ticket),
        '--listen',
        ':8585',
        '--transport',
        transport,
        '--strategies',
        strategies,
      );
      const path = await connect.event('path.selected');
      assert.equal(path['strategy'], winner);
      await connect.event('forward.listening');
      assert.equal(
        await homes.exec('b', 'curl', '-sS', '--max-time', '20', 'http://127.0.0.1:8585/'),
        'hello',
      );
    });
  }
});
