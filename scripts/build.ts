/** Bundles the `awl` command into tui/dist: the commands, the UI as a lazily loaded chunk, and the files that run in a thread or process of their own. */
import { existsSync, rmSync } from 'node:fs';
import { build, type RolldownOptions } from 'rolldown';
import { esmExternalRequirePlugin } from 'rolldown/plugins';

/** Name in tui/dist → source. The worker and process entries stand beside the bundle, where `import.meta.url` of their starters leads. */
const ENTRIES: Record<string, string> = {
  awl: 'tui/src/cli/awl.ts',
  'pairing-worker': 'core/engine/src/security/pairing/pairing-worker.ts',
  'plugin-process': 'core/plugin-host/src/plugin-process.ts',
};

const entries = Object.fromEntries(Object.entries(ENTRIES).filter(([, source]) => existsSync(source)));
rmSync('tui/dist', { recursive: true, force: true });

const options: RolldownOptions = {
  input: entries,
  platform: 'node',
  // ink has a top-level await, so CommonJS code (ink-table) cannot require it: the plugin turns those requires into imports.
  plugins: [esmExternalRequirePlugin({ external: ['ink', 'react', 'react/jsx-runtime', '@inkjs/ui'] })],
  resolve: { conditionNames: ['source', 'import', 'node', 'default'] },
  transform: { jsx: { runtime: 'automatic' }, target: 'node24' },
  onLog(level, log, handler) {
    if (log.code !== 'EVAL') handler(level, log);
  },
};
await build({
  ...options,
  output: { dir: 'tui/dist', format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunk-[name].js', sourcemap: true },
});
console.log(`built tui/dist: ${Object.keys(entries).join(', ')}`);
