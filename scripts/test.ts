/** Runs one tier of tests with Node's own runner: `node scripts/test.ts TIER [FILE…]`. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

const TIERS: Record<string, readonly string[]> = {
  unit: [
    '{core,plugins}/*/test/**/*.test.{ts,tsx}',
    'rendezvous/test/**/*.test.ts',
    'tui/test/**/*.test.{ts,tsx}',
    'plugin-template/test/**/*.test.ts',
    'test/{e2e,matrix}/**/*.test.ts',
  ],
  netns: ['test/netns/**/*.test.ts'],
  kcptun: ['test/kcptun/**/*.test.ts'],
  isolation: ['test/isolation/**/*.test.ts'],
  template: ['test/template/**/*.test.ts'],
  tui: ['test/tui/**/*.test.ts'],
};

const [tier = 'unit', ...named] = process.argv.slice(2);
const patterns = TIERS[tier];
if (!patterns) {
  console.error(`unknown tier ${tier}: one of ${Object.keys(TIERS).join(', ')}`);
  process.exit(2);
}
const files = named.length > 0 ? named : patterns.flatMap((pattern) => globSync(pattern)).sort();
const concurrency = tier === 'unit' ? 2 : 1;
const run = spawnSync(
  process.execPath,
  [
    '--conditions=source',
    '--import',
    './scripts/tsx.ts',
    '--disable-warning=ExperimentalWarning',
    '--test',
    `--test-concurrency=${concurrency}`,
    '--test-timeout=600000',
    ...files,
  ],
  { stdio: 'inherit', env: { ...process.env, NODE_ENV: 'test' } },
);
process.exit(run.status ?? 1);
