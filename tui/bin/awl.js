#!/usr/bin/env node
// Plain JavaScript that also an old Node parses: it only makes sure that awl runs on a Node that is new enough.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FLOOR = [24, 15];
const here = dirname(realpathSync(fileURLToPath(import.meta.url)));

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1]);
}

/** The Node that the project brought along, searched upward from here. */
function ownNode() {
  for (let folder = here; ; folder = dirname(folder)) {
    const node = join(folder, 'node_modules', 'node', 'bin', 'node');
    if (existsSync(node) && realpathSync(node) !== realpathSync(process.execPath)) return node;
    if (dirname(folder) === folder) return undefined;
  }
}

function fail(line) {
  console.error(`awl: ${line}`);
  process.exit(1);
}

/** Runs awl on another Node as if it were this process: same streams, same signals, same exit. */
function runOn(node) {
  // The channel carries nothing: when this process is killed, it closes, and the child knows that it should end too.
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`cannot run ${node}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const name of signals) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

if (isNewEnough(process.versions.node)) {
  const main = join(here, '..', 'dist', 'awl.js');
  if (!existsSync(main)) fail(`${main} is missing: run \`npm run build\` in the repository.`);
  await import(new URL('../dist/awl.js', import.meta.url));
} else {
  const node = ownNode();
  if (node) runOn(node);
  else
    fail(
      `this is Node ${process.versions.node}, and awl needs ${FLOOR.join('.')} or later: install it, or run \`npm ci\` in the repository, which brings one along.`,
    );
}
