import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const REPOSITORY = join(import.meta.dirname, '..', '..', '..');
const BUNDLE = join(REPOSITORY, 'tui', 'dist', 'awl.js');
const LOCK = join(tmpdir(), 'awl-e2e-build.lock');
const LOCK_IS_STALE_MS = 60_000;

/** Makes sure that what a user would run is what the sources say. Several test files may ask at once. */
export async function ensureBuilt(): Promise<void> {
  for (;;) {
    if (!isStale()) return;
    try {
      mkdirSync(LOCK);
    } catch {
      const age = Date.now() - (statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > LOCK_IS_STALE_MS) rmSync(LOCK, { recursive: true, force: true });
      await sleep(100);
      continue;
    }
    try {
      const { status, stderr } = spawnSync(process.execPath, ['scripts/build.ts'], {
        cwd: REPOSITORY,
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(`the build failed: ${stderr}`);
      return;
    } finally {
      rmSync(LOCK, { recursive: true, force: true });
    }
  }
}

function isStale(): boolean {
  if (!existsSync(BUNDLE)) return true;
  const builtAt = statSync(BUNDLE).mtimeMs;
  const sources = globSync(
    ['{core,plugins}/*/{src/**/*.{ts,tsx},package.json}', '{tui,rendezvous}/src/**/*.{ts,tsx}'],
    {
      cwd: REPOSITORY,
    },
  );
  return sources.some(
    (source) => (statSync(join(REPOSITORY, source), { throwIfNoEntry: false })?.mtimeMs ?? 0) > builtAt,
  );
}
