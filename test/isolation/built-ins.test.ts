/** The built-in strategies in a plugin process, over kernel NATs: what they reach in the node's own process they must reach there too. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { build } from 'rolldown';
import { REPOSITORY } from '../e2e/support/build.ts';
import { whyNot, type HomeNat } from '../netns/support/homes.ts';
import { TwoHomes } from './support/two-homes.ts';

const reason = await whyNot('curl');
const parent = mkdtempSync(join(tmpdir(), 'awl-isolated-'));
const plugin = join(parent, 'awl-plugin-isolated');

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
  const homes = new TwoHomes(parent);
  before(async () => {
    await writePackage();
    await homes.install(plugin);
  });
  after(() => rmSync(parent, { recursive: true, force: true }));

  const strategies = STRATEGIES.map(([, name]) => `isolated-${name}`);
  for (const [nats, transport, winner] of CASES) {
    it(`${nats.join(' × ')} by ${transport}: ${winner}`, { timeout: 120_000 }, async () => {
      const path = await homes.connect(nats, strategies, transport);
      assert.equal(path['strategy'], winner);
    });
  }
});
