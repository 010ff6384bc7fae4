import type { NodeEvent } from '@awl/node/client';
import { AwlError } from '@awl/wire';
import { canShowApp } from '../../app/index.ts';
import { formatBytes, formatRate } from '../../app/text/format.ts';
import { printReport } from '../demo/report.ts';
import { runSimulatedInUi, runSimulatedPlain } from '../demo/simulated.ts';
import { download, startSource } from '../demo/transfer.ts';
import { startWorld } from '../demo/world.ts';
import { relayEvents } from '../event-lines.ts';
import type { CommandContext, CommandModule } from '../spec.ts';
import { numberOf, textOf } from '../values.ts';

const MIB = 1024 * 1024;
const PROGRESS_MS = 200;

export const run: CommandModule['run'] = async (context, _args, options) => {
  const sizeBytes = (numberOf(options, 'mib', 1, 65_536) ?? 64) * MIB;
  const isPlain =
    options['plain'] === true ||
    context.output.json ||
    !canShowApp(process.stdin, process.stdout, process.env);
  const pair = textOf(options, 'nat');
  if (pair !== undefined) return isPlain ? runSimulatedPlain(context, pair) : runSimulatedInUi(context, pair);
  return isPlain ? runPlain(context, sizeBytes) : runInUi(context);
};

async function runPlain({ output, signal }: CommandContext, sizeBytes: number): Promise<number> {
  output.line('A rendezvous and two nodes on this machine, real sockets.');
  await using source = await startSource(sizeBytes);
  await using world = await startWorld();
  const { rendezvous, office, laptop } = world;
  output.event('rendezvous.ready', { addresses: rendezvous.addresses, fingerprint: rendezvous.fingerprint });
  output.line(`Rendezvous at ${rendezvous.url.replace(/#.*/, '')}, nodes "office" and "laptop" registered.`);
  const events: NodeEvent[] = [];
  using _events = laptop.client.onEvent((event) => events.push(event));
  using _relay = relayEvents(output, laptop.client);

  const { ticket } = await office.client.command('share.add', { target: `127.0.0.1:${source.port}` }, signal);
  output.line(`office shares 127.0.0.1:${source.port}; laptop uses the ticket.`);
  const { listen } = await laptop.client.command('forward.add', { ticket, listen: '127.0.0.1:0' }, signal);
  output.line(`laptop listens at ${listen}; ${formatBytes(sizeBytes)} go through.`);
  const result = await downloadShown(portOf(listen), sizeBytes, signal);
  const intact = result.checksum === source.checksum && result.receivedBytes === sizeBytes;
  output.event('demo.done', { ...result, intact });
  printReport(output, { url: rendezvous.url, events, ...result, intact });
  if (!intact) throw new AwlError('ERR_INTERNAL', 'What arrived is not what was sent.');
  return 0;
}

/** Downloads; on a terminal with one line that moves. */
async function downloadShown(
  port: number,
  sizeBytes: number,
  signal: AbortSignal,
): ReturnType<typeof download> {
  const isLive = process.stderr.isTTY && process.env['TERM'] !== 'dumb';
  const startedAt = performance.now();
  let shownAt = 0;
  const result = await download(port, signal, (receivedBytes) => {
    const now = performance.now();
    if (!isLive || now - shownAt < PROGRESS_MS) return;
    shownAt = now;
    const rate = formatRate((receivedBytes / (now - startedAt)) * 1000);
    const percent = Math.floor((receivedBytes / sizeBytes) * 100);
    process.stderr.write(`\r\u001b[K  ${percent} %  ${formatBytes(receivedBytes)}  ${rate}`);
  });
  if (isLive) process.stderr.write('\r\u001b[K');
  return result;
}

/** The UI on one of the two nodes, with a transfer that goes on in the background. */
async function runInUi({ signal }: CommandContext): Promise<number> {
  const { runApp } = await import('../../app/index.ts');
  await using source = await startSource(64 * MIB);
  await using world = await startWorld();
  const { office, laptop } = world;
  const { ticket } = await office.client.command('share.add', { target: `127.0.0.1:${source.port}` }, signal);
  const { listen } = await laptop.client.command('forward.add', { ticket, listen: '127.0.0.1:0' }, signal);
  const stop = new AbortController();
  const background = transferForever(portOf(listen), stop.signal);
  try {
    await runApp({
      client: laptop.client,
      stdout: process.stdout,
      stdin: process.stdin,
      env: process.env,
      signal,
    });
  } finally {
    stop.abort();
    await background;
  }
  return 0;
}

async function transferForever(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await download(port, signal, () => undefined);
    } catch {
      // The user may disconnect, or disable the strategy: the next round waits for the path as any client would.
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
      });
    }
  }
}

function portOf(listen: string): number {
  return Number(listen.slice(listen.lastIndexOf(':') + 1));
}
