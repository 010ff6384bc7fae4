/**
 * awl beside kcptun and a bare pair of TLS proxies, TCP in and TCP out, as ratios of interleaved runs on this machine:
 *
 *     node test/perf/bench.ts [--runs 3] [--secs 3] [--only awl-udp,kcptun-none]
 *
 * Needs the built command (`npm run build`), Debian's kcptun and openssl. Only ratios inside one table mean anything.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { contenders, freePort, Running } from './contenders.ts';
import { goodput, latency, ready, Target } from './load.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    secs: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
});
const secs = Number(values.secs);
const names = values.only?.split(',') ?? Object.keys(contenders);
if (
  names.some((name) => name.startsWith('kcptun')) &&
  spawnSync('sh', ['-c', 'command -v kcptun-client']).status !== 0
) {
  console.error('kcptun is not installed (apt install kcptun)');
  process.exit(1);
}

type Figure = 'one' | 'eight' | 'fair' | 'cpuPerGb' | 'idleP50' | 'idleP99' | 'busyP99' | 'peakMb';
const results = new Map<string, Partial<Record<Figure, number>>[]>(names.map((name) => [name, []]));
const folder = mkdtempSync(join(tmpdir(), 'awl-bench-'));

for (let run = 0; run < Number(values.runs); run++) {
  for (const name of names) {
    const figures = await measure(name);
    if (figures) results.get(name)!.push(figures);
    console.error(
      `[${run + 1}/${values.runs}] ${name} ${figures ? JSON.stringify(figures, round) : 'did not become ready'}`,
    );
  }
}
rmSync(folder, { recursive: true, force: true });
report();
process.exit();

async function measure(name: string): Promise<Partial<Record<Figure, number>> | undefined> {
  const start = contenders[name];
  if (!start) throw new Error(`unknown contender ${name}: one of ${Object.keys(contenders).join(', ')}`);
  const target = new Target();
  const targetPort = await target.listen();
  const listenPort = await freePort();
  await using running = new Running();
  await running.start(start(folder, listenPort, targetPort, await freePort(), await freePort()));
  if (!(await ready(listenPort))) return undefined;
  const idle = await latency(listenPort, 1, false);
  const before = running.cost().cpuSeconds;
  const bytesBefore = sum(target.counts);
  const [one = 0] = await goodput(listenPort, target, 1, secs);
  const cpuSeconds = running.cost().cpuSeconds - before;
  const gigabytes = (sum(target.counts) - bytesBefore) / 1e9;
  const eight = await goodput(listenPort, target, 8, secs);
  const busy = await latency(listenPort, secs, true);
  target.close();
  return {
    one,
    eight: sum(eight),
    fair: Math.min(...eight) / Math.max(...eight),
    cpuPerGb: cpuSeconds / gigabytes,
    idleP50: quantile(idle, 0.5),
    idleP99: quantile(idle, 0.99),
    busyP99: quantile(busy, 0.99),
    peakMb: running.cost().peakMb,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function round(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(3)) : value;
}

function median(name: string, figure: Figure): number {
  const found = (results.get(name) ?? []).map((figures) => figures[figure] ?? Number.NaN);
  return quantile(
    found.toSorted((a, b) => a - b),
    0.5,
  );
}

function report(): void {
  const ratio = (figure: Figure, of: string, to: string): number => median(of, figure) / median(to, figure);
  const rows: [string, string, number][] = [
    ['goodput, one stream, to kcptun none', '>= 2', ratio('one', 'awl-udp', 'kcptun-none')],
    ['goodput, one stream, to kcptun aes-128', '>= 2.5', ratio('one', 'awl-udp', 'kcptun-aes128')],
    ['eight streams, sum to one stream', '>= 1', median('awl-udp', 'eight') / median('awl-udp', 'one')],
    ['eight streams, slowest to fastest', '>= 0.95', median('awl-udp', 'fair')],
    ['CPU seconds per GB, to kcptun none', '<= 0.5', ratio('cpuPerGb', 'awl-udp', 'kcptun-none')],
    ['idle round trip p50, to kcptun none', '<= 1', ratio('idleP50', 'awl-udp', 'kcptun-none')],
    ['idle round trip p99, to kcptun none', '<= 1.2', ratio('idleP99', 'awl-udp', 'kcptun-none')],
    ['ping beside a bulk stream p99, to kcptun none', '<= 0.5', ratio('busyP99', 'awl-udp', 'kcptun-none')],
    ['peak memory, to bare TLS proxies', '<= 1.5', ratio('peakMb', 'awl-udp', 'node-tls')],
    ['TCP path: goodput, one stream, to bare TLS proxies', '>= 0.9', ratio('one', 'awl-tcp', 'node-tls')],
    ['TCP path: CPU seconds per GB, to bare TLS proxies', '', ratio('cpuPerGb', 'awl-tcp', 'node-tls')],
  ];
  console.log('| figure | goal | measured |\n|---|--:|--:|');
  for (const [what, goal, value] of rows)
    console.log(`| ${what} | ${goal} | ${Number.isNaN(value) ? '-' : value.toFixed(2)} |`);
  console.log(
    '\n| medians | Mbit/s | of 8 | fair | CPU s/GB | idle p50 ms | p99 | busy p99 | peak MB |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|',
  );
  const figures: Figure[] = ['one', 'eight', 'fair', 'cpuPerGb', 'idleP50', 'idleP99', 'busyP99', 'peakMb'];
  for (const name of names) {
    const cells = figures.map((figure) => {
      const value = median(name, figure);
      return Number.isNaN(value) ? '-' : value.toPrecision(3);
    });
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}
