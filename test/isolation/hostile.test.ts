import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { ProcessLimits } from '@awl/plugin-host';
import { pair } from '../../core/plugin-host/test/support/fakes.ts';
import { isolatedHost, oneStrategy, temporaryDirectory, writePlugin } from './support/plugins.ts';

/** Short, so that the test is; the machine may be busy, so not too short. */
const QUICK: Partial<ProcessLimits> = {
  heartbeatIntervalMs: 200,
  unresponsiveMs: 1000,
  killMs: 2000,
  rssIntervalMs: 50,
};

const strategyThat = (what: string): string => `
  import fs from 'node:fs';
  export function activate(context) {
    context.strategies.register({
      id: 'one@1',
      assess: async () => { ${what}; return { likelihood: 1, reason: 'still here' }; },
      punch: async () => ({ outcome: 'failed', code: 'no-answer', reason: '' }),
    });
  }`;

const hostile: readonly (readonly [name: string, what: string, code: string, reason: RegExp])[] = [
  ['an endless loop', 'for (;;);', 'ERR_PLUGIN_UNRESPONSIVE', /did not answer for .* s, so it was ended/],
  [
    '1 GiB of heap',
    'globalThis.kept = []; for (;;) kept.push(new Array(1e5).fill(0).map((_, i) => ({ i })))',
    'ERR_PLUGIN_CRASHED',
    /heap of 96 MiB|MiB of memory/,
  ],
  [
    '1 GiB of Buffers',
    'globalThis.kept = []; for (let i = 0; i < 1024; i += 1) { kept.push(Buffer.alloc(1 << 20, 1)); await new Promise(setImmediate); } await new Promise(() => setTimeout(() => {}, 1e6))',
    'ERR_PLUGIN_CRASHED',
    /used \d+ MiB of memory \(the limit is 256\)/,
  ],
  [
    'an uncaught exception',
    'setTimeout(() => { throw new Error("oh no") }); await new Promise(() => {})',
    'ERR_PLUGIN_CRASHED',
    /ended by itself \(exit code 1\)/,
  ],
  [
    'an unhandled rejection',
    'Promise.reject(new Error("oh no")); await new Promise(() => {})',
    'ERR_PLUGIN_CRASHED',
    /ended by itself \(exit code 1\)/,
  ],
  ['an exit', 'process.exit(0)', 'ERR_PLUGIN_CRASHED', /ended by itself \(exit code 0\)/],
  [
    'a flood of calls',
    'for (;;) { for (let i = 0; i < 1000; i += 1) context.log.info("x"); await new Promise(setImmediate); }',
    'ERR_PLUGIN_CRASHED',
    /more than 5000 messages in a second|bytes in a second/,
  ],
  [
    'a flood of bytes',
    'for (;;) { try { fs.writeSync(3, Buffer.concat([Buffer.from([0, 15, 0, 0]), Buffer.alloc(983040, 32)])) } catch {} }',
    'ERR_PLUGIN_CRASHED',
    /bytes in a second|not JSON/,
  ],
  [
    'an endless message',
    'fs.writeSync(3, Buffer.from([255, 255, 255, 255]))',
    'ERR_PLUGIN_CRASHED',
    /a message of 4294967295 bytes; the limit is 1048576/,
  ],
  [
    'a message that is no JSON',
    'fs.writeSync(3, Buffer.from([0, 0, 0, 1, 120]))',
    'ERR_PLUGIN_CRASHED',
    /something that is not JSON/,
  ],
  [
    'a message that is no JSON-RPC',
    'fs.writeSync(3, Buffer.from([0, 0, 0, 2, 91, 93]))',
    'ERR_PLUGIN_CRASHED',
    /something that is not JSON-RPC/,
  ],
  [
    'requests that do not exist',
    'for (let i = 0; i < 50; i += 1) context.storage.get(7).catch(() => {}); await new Promise(() => {})',
    'ERR_PLUGIN_CRASHED',
    /20 messages that are not understood/,
  ],
];

for (const [name, what, code, reason] of hostile) {
  test(`contained and named: ${name}`, { timeout: 60_000 }, async () => {
    using parent = temporaryDirectory();
    await using isolated = isolatedHost({ limits: QUICK });
    const { host, registry, store } = isolated;
    await host.start();
    await host.develop(writePlugin(String(parent), strategyThat(what), oneStrategy));
    const proxy = registry.strategies.get('one@1');
    const assessment = await proxy?.assess(pair);
    assert.equal(assessment?.likelihood, 0);
    const row = store.state.plugins['test'];
    assert.equal(row?.status, 'failed');
    assert.equal(row?.code, code, row?.reason ?? '');
    assert.match(row?.reason ?? '', reason);
    assert.ok((row?.failures ?? 0) >= 1);
  });
}

test(
  'shown as unresponsive before it is ended, and active again if it comes back',
  { timeout: 60_000 },
  async () => {
    using parent = temporaryDirectory();
    await using isolated = isolatedHost({ limits: { ...QUICK, killMs: 60_000 } });
    await isolated.host.start();
    const busy = 'const end = performance.now() + 3000; while (performance.now() < end);';
    await isolated.host.develop(writePlugin(String(parent), strategyThat(busy), oneStrategy));
    const answer = isolated.registry.strategies.get('one@1')?.assess(pair);
    await isolated.status('test', 'unresponsive');
    assert.equal((await answer)?.reason, 'still here');
    await isolated.status('test', 'active');
  },
);

test('three crashes quarantine it; enabling gives it another chance', { timeout: 60_000 }, async () => {
  using parent = temporaryDirectory();
  await using isolated = isolatedHost();
  const { host, registry, store } = isolated;
  await host.start();
  const directory = writePlugin(String(parent), strategyThat('process.exit(3)'), {
    contributes: { ...oneStrategy.contributes, hooks: [{ name: 'forward.accept' }] },
  });
  await host.develop(directory);
  for (let crash = 0; crash < 3; crash += 1) await registry.strategies.get('one@1')?.assess(pair);
  assert.equal(store.state.plugins['test']?.status, 'quarantined');
  assert.match(
    store.state.plugins['test']?.reason ?? '',
    /three failures in five minutes, the last: .*exit code 3/,
  );
  assert.match(
    JSON.stringify(await registry.call('forward.accept', {})),
    /"deny":"plugin test is quarantined/,
  );
  await host.enable('test');
  assert.equal(store.state.plugins['test']?.status, 'inactive');
  assert.equal(registry.strategies.size, 1);
});

test('what the permission model and the lock-down refuse', { timeout: 60_000 }, async () => {
  using parent = temporaryDirectory();
  const key = join(String(parent), 'key.pem');
  writeFileSync(key, 'secret', { mode: 0o600 });
  const control = createServer().listen(join(String(parent), 'control.sock'));
  await once(control, 'listening');
  using _control = { [Symbol.dispose]: () => void control.close() };
  let visits = 0;
  control.on('connection', () => (visits += 1));
  await using isolated = isolatedHost();
  await isolated.host.start();
  const code = `
    import net from 'node:net';
    import dgram from 'node:dgram';
    const attempts = {
      'read the key': async () => (await import('node:fs')).readFileSync(${JSON.stringify(key)}),
      'read the environment of the node': async () => (await import('node:fs')).readFileSync('/proc/' + process.ppid + '/environ'),
      'write a file': async () => (await import('node:fs')).writeFileSync('file', ''),
      'start a process': async () => (await import('node:child_process')).execFileSync('/bin/true'),
      'start a thread': async () => new (await import('node:worker_threads')).Worker('0', { eval: true }),
      'open the control socket': async () => new Promise((resolve, reject) => net.connect(${JSON.stringify(join(String(parent), 'control.sock'))}, resolve).on('error', reject)),
      'connect by TCP': async () => new Promise((resolve, reject) => net.connect(9, '127.0.0.1', resolve).on('error', reject)),
      'send a datagram': async () => new Promise((resolve, reject) => dgram.createSocket('udp4').on('error', reject).send('x', 9, '127.0.0.1', (error) => error ? reject(error) : resolve())),
      'listen': async () => new Promise((resolve, reject) => net.createServer().on('error', reject).listen(0, resolve)),
      'signal the node': async () => process.kill(process.ppid, 0),
      'debug the node': async () => process._debugProcess(process.ppid),
      'renice the node': async () => (await import('node:os')).setPriority(process.ppid, 19),
    };
    export function activate(context) {
      context.commands.register({ id: 'try', run: async () => {
        const results = {};
        for (const [name, attempt] of Object.entries(attempts)) results[name] = await attempt().then(() => 'done', (error) => error.code);
        return { results, environment: Object.keys(process.env), cwd: process.cwd() };
      } });
    }`;
  await isolated.host.develop(
    writePlugin(String(parent), code, { contributes: { commands: [{ id: 'try', title: 'Try' }] } }),
  );
  const { results, environment, cwd } = (await isolated.host.runCommand('try')) as unknown as {
    readonly results: { readonly [name: string]: string };
    readonly environment: readonly string[];
    readonly cwd: string;
  };
  for (const [name, result] of Object.entries(results)) assert.equal(result, 'ERR_ACCESS_DENIED', name);
  assert.equal(visits, 0);
  assert.deepEqual(
    environment.filter((name) => !['LANG', 'LC_ALL', 'TZ'].includes(name)),
    [],
  );
  assert.equal(cwd, join(isolated.directory, 'work', 'test'));
});

test('a plugin does not outlive the node, however that ends', { timeout: 60_000 }, async () => {
  using parent = temporaryDirectory();
  const directory = writePlugin(String(parent), strategyThat('for (;;)'), oneStrategy);
  const node = spawn(
    process.execPath,
    [
      '--conditions=source',
      join(import.meta.dirname, 'support', 'node-to-kill.ts'),
      directory,
      String(parent),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(createInterface(node.stdout), 'line')) as [string];
  const pid = Number(line);
  assert.ok(pid > 0, line);
  node.kill('SIGKILL');
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
