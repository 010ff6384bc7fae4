import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { rolldown } from 'rolldown';
import { PAIRING_WORKER_URL } from '@awl/engine';

test('the worker is found from a bundle that has it as an entry beside', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'awl-pairing-'));
  try {
    const main = join(directory, 'main.ts');
    const engine = fileURLToPath(new URL('../../src/security/pairing/index.ts', import.meta.url));
    writeFileSync(
      main,
      `import { PairingWorker } from ${JSON.stringify(engine)};
       const worker = new PairingWorker({ now: () => 0, schedule: () => ({ [Symbol.dispose]() {} }) });
       console.log((await worker.run('clientStart', { password: 'x' })).request.length);`,
    );
    const build = await rolldown({
      input: { main, 'pairing-worker': fileURLToPath(PAIRING_WORKER_URL) },
      platform: 'node',
      resolve: { conditionNames: ['source', 'import', 'node', 'default'] },
      logLevel: 'silent',
    });
    await build.write({ dir: join(directory, 'dist'), entryFileNames: '[name].js', format: 'esm' });
    await build.close();
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    // It ends by itself: an idle worker keeps no process alive.
    assert.equal(
      execFileSync(process.execPath, [join(directory, 'dist', 'main.js')], { encoding: 'utf8' }).trim(),
      '128',
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
