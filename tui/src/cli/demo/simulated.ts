import { setTimeout as delay } from 'node:timers/promises';
import { startSimulatedNodes, type SimulatedNodes } from '@awl/node';
import type { NodeEvent } from '@awl/node/client';
import { toAwlError, type AwlError } from '@awl/wire';
import { natWords } from '../../app/model/nat-words.ts';
import { formatDuration } from '../../app/text/format.ts';
import { relayEvents } from '../event-lines.ts';
import { safe, type Output } from '../output.ts';
import type { CommandContext } from '../spec.ts';
import { printRace } from './race-report.ts';

/** Time to look at both peers before the race. */
const FIRST_LOOK_MS = 1500;

/** The race of two peers over simulated NATs as a log. A pair that cannot connect is a result, too: 0 all the same. */
export async function runSimulatedPlain({ output, signal }: CommandContext, pair: string): Promise<number> {
  await using nodes = await startSimulatedNodes(pair);
  const { client, remotePeerId, titles } = nodes;
  output.line(
    `SIMULATED: two peers over simulated NATs, ${pair}, in real time. Nothing touches a real network.`,
  );
  output.line(`  local   ${titles[0]}`);
  output.line(`  remote  ${titles[1]}`);
  const { behaviour } = (await client.snapshot()).state.nat;
  output.event('nat.behaviour', behaviour);
  output.line(
    `What local measured: UDP ${natWords(behaviour.udp).text} · TCP ${natWords(behaviour.tcp).text}`,
  );
  const seen: NodeEvent[] = [];
  using _seen = client.onEvent((event) => {
    seen.push(event);
    describeStart(output, event);
  });
  using _relay = relayEvents(output, client);
  output.line('local connects to remote …');
  const failure = await client.command('peer.connect', { peer: remotePeerId }, signal).then(
    () => undefined,
    (error: unknown) => toAwlError(error),
  );
  if (signal.aborted) return 0;
  await printOutcome(output, nodes, seen, failure);
  return 0;
}

function describeStart(output: Output, seen: NodeEvent): void {
  if (seen.event === 'signal.agreed') output.line(safe(`Both agreed on a race: ${seen.plan.join(', ')}`));
  if (seen.event === 'attempt.started')
    output.line(output.paint('muted', safe(`     ${seen.strategy} starts`)));
}

async function printOutcome(
  output: Output,
  { client }: SimulatedNodes,
  seen: readonly NodeEvent[],
  failure: AwlError | undefined,
): Promise<void> {
  const { attempts } = (await client.snapshot()).state;
  const race = Object.values(attempts).at(-1)?.race ?? [];
  const probes = race.reduce((sum, { probesSent }) => sum + probesSent, 0);
  output.line();
  if (race.length > 0) printRace(output, race);
  output.line();
  if (failure) {
    const { code, message, remedy } = failure;
    output.event('demo.done', { simulated: true, connected: false, probes, code, reason: message, remedy });
    output.line(`${output.paint('bad', '✘')} No connection, as simulated (${code})`);
    output.line(`  Cause   ${safe(message)}`);
    output.line(`  Remedy  ${safe(remedy)}`);
    return;
  }
  const startedAt = seen.find(({ event }) => event === 'attempt.started')?.time ?? 0;
  const path = seen.find((each) => each.event === 'path.selected');
  const ms = Math.round((path?.time ?? startedAt) - startedAt);
  const strategy = path?.strategy ?? '';
  output.event('demo.done', { simulated: true, connected: true, strategy, ms, probes });
  output.line(
    `${output.paint('ok', '✔')} ${safe(strategy)} won after ${formatDuration(ms)}, ${probes} probes of this side, as simulated`,
  );
}

/** The UI on the local peer; the first attempt starts by itself, further ones when the user connects. */
export async function runSimulatedInUi({ signal }: CommandContext, pair: string): Promise<number> {
  const { runApp } = await import('../../app/index.ts');
  await using nodes = await startSimulatedNodes(pair);
  const { client, remotePeerId: peer, now } = nodes;
  const left = new AbortController();
  const first = delay(FIRST_LOOK_MS, undefined, { signal: left.signal })
    .then(() => client.command('peer.connect', { peer }, left.signal))
    // What came of it is in the state, for the UI to show.
    .catch(() => undefined);
  try {
    await runApp({ client, stdout: process.stdout, stdin: process.stdin, env: process.env, now, signal });
  } finally {
    left.abort();
    await first;
  }
  return 0;
}
