/**
 * Goodput and CPU of one stream between two processes over UDP on loopback, and the round trip of a small message on the idle path.
 *
 *     node --conditions=source core/kcp-ts/bench/throughput.ts [--mtu 1400] [--secs 3] [--congestion bbr] [--classic] [--relay COMMAND]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { KcpStream, type CongestionChoice } from '../src/index.ts';
import { realClock, UdpChannel } from './udp-channel.ts';

const { values } = parseArgs({
  options: {
    mtu: { type: 'string', default: '1400' },
    secs: { type: 'string', default: '3' },
    congestion: { type: 'string', default: 'bbr' },
    classic: { type: 'boolean', default: false },
    port: { type: 'string', default: '0' },
    relay: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});
const mtu = Number(values.mtu);
const settings = {
  conv: 1,
  clock: realClock,
  congestion: values.congestion as CongestionChoice,
  ...(values.classic
    ? {
        sendWindow: 2048,
        receiveWindow: 2048,
        classic: { noDelay: 1, intervalMs: 10, fastResend: 2, congestionWindow: false } as const,
      }
    : {}),
};

if (process.send) await send();
else await receive();

async function send(): Promise<void> {
  const channel = await UdpChannel.open(mtu, Number(values.port));
  const stream = new KcpStream(channel, settings);
  const block = Buffer.alloc(65_536, 'kcp');
  let pings = 0;
  const rtts: number[] = [];
  let sentAt = 0;
  const startedAt = performance.now();
  const ping = (): void => {
    sentAt = performance.now();
    stream.write('p');
  };
  const flood = (): void => {
    while (!stream.destroyed && stream.write(block));
    stream.once('drain', flood);
  };
  stream.on('data', () => {
    rtts.push(performance.now() - sentAt);
    if (++pings < 200 && performance.now() - startedAt < 2000) {
      setTimeout(ping, 2);
      return;
    }
    rtts.sort((a, b) => a - b);
    process.send!({ p50: rtts[Math.floor(pings / 2)], p99: rtts[Math.floor(pings * 0.99)] });
    stream.removeAllListeners('data');
    flood();
  });
  stream.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  process.on('message', () => {
    const report = { stats: stream.stats(), cpu: process.cpuUsage() };
    stream.destroy();
    process.send!(report, () => process.exit());
  });
  if (values.trace) setInterval(() => console.log(JSON.stringify(stream.stats())), 250);
  ping();
}

async function receive(): Promise<void> {
  const channel = await UdpChannel.open(mtu);
  const stream = new KcpStream(channel, settings);
  let port = channel.localPort;
  if (values.relay) {
    // RELAY is a command that prints the port to dial; {P} is ours.
    const { spawn } = await import('node:child_process');
    const child = spawn('sh', ['-c', 'exec ' + values.relay.replace('{P}', String(port))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    process.on('exit', () => child.kill());
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    port = Number(/\d+/.exec(line.toString())![0]);
  }
  const child = fork(import.meta.filename, [...process.argv.slice(2), '--port', String(port)], {
    execArgv: process.execArgv,
  });
  const [latency] = (await Promise.all([
    once(child, 'message'),
    new Promise<void>((resolve) => {
      stream.on('data', (chunk: Buffer) => {
        if (chunk.length === 1) stream.write('p');
        else resolve();
      });
    }),
  ])) as [[{ p50: number; p99: number }], void];
  stream.removeAllListeners('data');
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const from = bytes;
  const start = performance.now();
  const cpu = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, Number(values.secs) * 1000));
  const elapsedMs = performance.now() - start;
  const used = process.cpuUsage(cpu);
  const received = bytes - from;
  child.send('stop');
  const [end] = (await once(child, 'message')) as [{ stats: Record<string, number>; cpu: NodeJS.CpuUsage }];
  const perGb = (usage: NodeJS.CpuUsage, count: number): number =>
    (usage.user + usage.system) / 1e6 / (count / 1e9);
  console.log(
    JSON.stringify({
      mbps: Math.round((received * 8) / elapsedMs / 1000),
      receiverCpu: Number(perGb(used, received).toFixed(2)),
      senderCpu: Number(perGb(end.cpu, end.stats['deliveredBytes']!).toFixed(2)),
      p50us: Math.round(latency[0].p50 * 1000),
      p99us: Math.round(latency[0].p99 * 1000),
      rssMb: Math.round(process.memoryUsage().rss / 1e6),
      ...end.stats,
    }),
  );
  process.exit();
}
