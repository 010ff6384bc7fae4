/** Bundles the `awl` command into tui/dist: the commands, the UI as a lazily loaded chunk, and the files that run in a thread or process of their own. */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'rolldown';
import { esmExternalRequirePlugin } from 'rolldown/plugins';

/** Name in tui/dist → source. Worker and process entries stand beside the bundle, where `import.meta.url` of their starters leads. */
const ENTRIES: Record<string, string> = {
  awl: 'tui/src/cli/awl.ts',
  'pairing-worker': 'core/engine/src/security/pairing/pairing-worker.ts',
  'plugin-process': 'core/plugin-host/src/plugin-process.ts',
};
const OUR_SOURCES = /\/(?:core|plugins|rendezvous|tui)\/(?:[^/]+\/)*src\//;

process.chdir(join(import.meta.dirname, '..'));
const directory = `node_modules/.cache/awl-build-${process.pid}`;
const stage = `${directory}-stage`;
const output = {
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunk-[name].js',
  sourcemap: true,
} as const;

await build({
  input: ENTRIES,
  platform: 'node',
  // ink has a top-level await, so CommonJS code (ink-table) cannot require it: the plugin turns those requires into imports.
  plugins: [esmExternalRequirePlugin({ external: ['ink', 'react', 'react/jsx-runtime', '@inkjs/ui'] })],
  resolve: { conditionNames: ['source', 'import', 'node', 'default'] },
  transform: { jsx: { runtime: 'automatic' }, target: 'node24' },
  // A package is entered by its index: what a command does not use of it must not be loaded at its start.
  treeshake: { moduleSideEffects: [{ test: OUR_SOURCES, sideEffects: false }] },
  output: { ...output, dir: stage },
});
// The second pass takes Ink and React in as well: as the many small files they are, they load three times as slowly.
await build({
  input: Object.fromEntries(Object.keys(ENTRIES).map((name) => [name, `${stage}/${name}.js`])),
  platform: 'node',
  // Ink asks for its developer tools where DEV is set; they are not installed.
  resolve: { alias: { 'react-devtools-core': join(process.cwd(), 'scripts/empty.ts') } },
  transform: { target: 'node24', define: { 'process.env.NODE_ENV': '"production"' } },
  onLog(level, log, handler) {
    // The first pass asks each import whether it is CommonJS after all.
    if (log.code !== 'IMPORT_IS_UNDEFINED') handler(level, log);
  },
  output: { ...output, chunkFileNames: '[name].js', dir: directory },
});
rmSync(stage, { recursive: true, force: true });
// Changed at once, so that a build that fails leaves the old one, and one that runs is never seen by half.
rmSync('tui/dist', { recursive: true, force: true });
renameSync(directory, 'tui/dist');
console.log(`built tui/dist: ${Object.keys(ENTRIES).join(', ')}`);
