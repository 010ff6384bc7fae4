/**
 * What the app costs, on a made-up engine in a pty: `node --conditions=source test/perf/ui.ts`. Prints figures; the goals stand beside them.
 * CPU figures need a machine that does nothing else.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawn, type IPty } from '@lydell/node-pty';
import { build } from 'rolldown';
import { esmExternalRequirePlugin } from 'rolldown/plugins';

const OUT = resolve('test/perf/dist');
const APP = join(OUT, 'dev.js');
/** Kernel clock ticks a second, as in /proc/PID/stat. */
const TICKS_PER_SECOND = 100;
const PAGE_DOWN = '\u001B[6~';

// In two passes, as scripts/build.ts makes the real one.
const output = { format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name].js' } as const;
await build({
  input: { dev: 'tui/test/app/dev.ts' },
  platform: 'node',
  plugins: [esmExternalRequirePlugin({ external: ['ink', 'react', 'react/jsx-runtime', '@inkjs/ui'] })],
  resolve: { conditionNames: ['source', 'import', 'node', 'default'] },
  transform: { jsx: { runtime: 'automatic' }, target: 'node24' },
  logLevel: 'silent',
  output: { ...output, dir: join(OUT, 'stage') },
});
await build({
  input: { dev: join(OUT, 'stage', 'dev.js') },
  platform: 'node',
  resolve: { alias: { 'react-devtools-core': resolve('scripts/empty.ts') } },
  transform: { target: 'node24', define: { 'process.env.NODE_ENV': '"production"' } },
  logLevel: 'silent',
  output: { ...output, dir: OUT },
});

/** The app in a pty of 120×40. */
class Running implements Disposable {
  readonly #pty: IPty;
  readonly startedAt = performance.now();
  #waiting: { readonly text: string; readonly resolve: (atMs: number) => void } | undefined;
  writtenBytes = 0;

  constructor(...options: readonly string[]) {
    this.#pty = spawn(process.execPath, [APP, ...options], {
      cols: 120,
      rows: 40,
      env: { ...process.env, NODE_ENV: 'production', TERM: 'xterm-256color' },
    });
    this.#pty.onData((data) => {
      this.writtenBytes += data.length;
      if (!this.#waiting || !data.includes(this.#waiting.text)) return;
      this.#waiting.resolve(performance.now());
      this.#waiting = undefined;
    });
  }

  /** When the next output with this text came. */
  next(text: string): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting = { text, resolve };
    return promise;
  }

  type(keys: string): void {
    this.#pty.write(keys);
  }

  /** Processor time used so far, milliseconds. */
  cpuMs(): number {
    const fields = readFileSync(`/proc/${this.#pty.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1000;
  }

  /** Percent of a core over the next `overMs`. */
  async cpuPercent(overMs: number): Promise<number> {
    const before = this.cpuMs();
    await sleep(overMs);
    return ((this.cpuMs() - before) / overMs) * 100;
  }

  [Symbol.dispose](): void {
    this.#pty.kill();
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const line = (what: string, value: string, goal: string): void =>
  console.log(`${what.padEnd(44)} ${value.padStart(12)}   goal ${goal}`);

const paints: number[] = [];
const cpu: number[] = [];
for (let round = 0; round < 7; round += 1) {
  using app = new Running('--still');
  paints.push((await app.next('office')) - app.startedAt);
  cpu.push(app.cpuMs());
}
line('first paint after start, median of 7', `${median(paints).toFixed(0)} ms`, '≤ 300 ms');
line('processor time until then', `${median(cpu).toFixed(0)} ms`, '–');

{
  using app = new Running('--still');
  await app.next('office');
  await sleep(2000);
  line('idle, nothing changes', `${(await app.cpuPercent(20_000)).toFixed(1)} %`, '< 3 %');
}
{
  using app = new Running('--peers', '44', '--moving', '4');
  await app.next('office');
  await sleep(2000);
  const before = app.writtenBytes;
  const percent = await app.cpuPercent(20_000);
  line('50 peers, 4 of them busy, 4 updates a second', `${percent.toFixed(1)} %`, '< 8 %');
  line('written to the terminal then', `${((app.writtenBytes - before) / 20_000).toFixed(1)} kB/s`, '–');
}
{
  using app = new Running('--peers', '10000', '--still');
  await app.next('office');
  await sleep(2000);
  const delays: number[] = [];
  for (let page = 0; page < 100; page += 1) {
    const pressedAt = performance.now();
    const drawn = app.next('of 10006');
    app.type(PAGE_DOWN);
    delays.push((await drawn) - pressedAt);
    await sleep(20);
  }
  line('10 000 peers, page down to drawn, median', `${median(delays).toFixed(0)} ms`, 'no stall');
  line('10 000 peers, page down to drawn, worst', `${Math.max(...delays).toFixed(0)} ms`, 'no stall');
}
{
  using app = new Running('--peers', '10000');
  await app.next('office');
  await sleep(3000);
  line('10 000 peers, 50 of them move, 4 Hz', `${(await app.cpuPercent(20_000)).toFixed(1)} %`, '–');
}
process.exit(0);
