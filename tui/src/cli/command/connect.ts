import { AwlError } from '@awl/wire';
import { relayEvents } from '../event-lines.ts';
import { useNode, type NodeInUse } from '../node-access.ts';
import { safe } from '../output.ts';
import { askPassword, canAsk, givenPassword } from '../password-input.ts';
import { rendezvousConfig } from '../rendezvous-option.ts';
import type { CommandContext, CommandModule } from '../spec.ts';
import { pipeStdio } from '../stdio.ts';
import { destinationOf, type Destination } from '../ticket-input.ts';
import { given, listOf, protocolOf, textOf, transportOf } from '../values.ts';
import { untilRegistered, untilStoppedOrLost } from '../wait.ts';

export const run: CommandModule['run'] = async (context, [argument], options) => {
  const { output, signal } = context;
  const destination = await destinationOf(argument, options, signal);
  const password = await givenPassword(options);
  const fallback = 'parsed' in destination ? destination.parsed.rendezvous[0] : undefined;
  const overrides = given({ rendezvous: rendezvousConfig(options) });
  await using node = await useNode(context, { overrides }, fallback);
  const { client } = node;
  using _events = relayEvents(output, client);
  if (node.own) await register(node, destination, context);

  const how = given({
    ...whom(destination),
    password,
    strategies: listOf(options, 'strategies'),
    transport: transportOf(options),
  });
  const what = given({
    target: textOf(options, 'target'),
    protocol: protocolOf(options),
  });
  await connectAsking(node, how, context);
  if (options['stdio'] === true) return await pipeStdio(node, { ...how, ...what }, signal);
  const listen = textOf(options, 'listen') ?? ':0';
  const { forward, listen: address } = await client.command(
    'forward.add',
    { ...how, ...what, listen },
    signal,
  );
  output.line(`Listening at ${address}`);
  try {
    await untilStoppedOrLost(node, signal);
  } finally {
    if (!node.own) await client.command('forward.remove', { forward }).catch(() => undefined);
  }
};

type How = Parameters<NodeInUse['client']['command']>[1] & {
  readonly peer?: string;
  readonly password?: string;
};

/** Connects; asks for the password where the other side wants one and a person is there to type it. */
async function connectAsking(node: NodeInUse, how: How, { output, signal }: CommandContext): Promise<void> {
  const step = await output.step('Connecting');
  try {
    await node.client.command('peer.connect', how, signal);
    step.done('Connected');
  } catch (error) {
    const isAsked = error instanceof AwlError && error.code === 'ERR_AUTH_REFUSED';
    const canAnswer = how.peer !== undefined && how.password === undefined && canAsk();
    step.failed(isAsked && canAnswer ? 'The other side wants its password' : 'No connection');
    if (!isAsked || !canAnswer) throw error;
    const password = await askPassword(safe(how.peer), signal);
    await node.client.command('peer.connect', { ...how, password }, signal);
  }
}

/** A ticket with addresses in it works without its rendezvous too. */
async function register(
  node: NodeInUse,
  destination: Destination,
  { output, signal }: CommandContext,
): Promise<void> {
  try {
    await untilRegistered(node, signal);
  } catch (error) {
    if (!('parsed' in destination) || destination.parsed.candidates.length === 0) throw error;
    output.warn(`${safe((error as Error).message)} Trying the addresses in the ticket.`);
  }
}

function whom(destination: Destination): { ticket?: string; peer?: string } {
  return 'ticket' in destination ? { ticket: destination.ticket } : { peer: destination.peer };
}
