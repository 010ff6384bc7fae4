import type { Commands } from '@awl/api';
import { requireNode } from '../node-access.ts';
import { askPassword, canAsk, givenPassword } from '../password-input.ts';
import type { CommandModule } from '../spec.ts';
import { destinationOf } from '../ticket-input.ts';
import { given, listOf, protocolOf, textOf, transportOf } from '../values.ts';

export const run: CommandModule['run'] = async (context, [argument], options) => {
  const { output, signal } = context;
  const destination = await destinationOf(argument, options, signal);
  await using client = await requireNode(context);
  const fromFile = await givenPassword(options);
  const known = 'peer' in destination && (await isRemembered(client, destination.peer));
  const ask = fromFile === undefined && 'peer' in destination && !known && canAsk();
  const password = ask ? await askPassword(destination.peer, signal) : fromFile;
  const result = await client.command(
    'forward.add',
    given<Commands['forward.add']['params']>({
      ticket: 'ticket' in destination ? destination.ticket : undefined,
      peer: 'peer' in destination ? destination.peer : undefined,
      password,
      listen: textOf(options, 'listen') ?? ':0',
      target: textOf(options, 'target'),
      protocol: protocolOf(options),
      transport: transportOf(options),
      strategies: listOf(options, 'strategies'),
      store: true,
    }),
    signal,
  );
  output.object(result);
  output.line(`${result.forward} listens at ${result.listen}`);
};

async function isRemembered(client: Awaited<ReturnType<typeof requireNode>>, peer: string): Promise<boolean> {
  const { state } = await client.snapshot();
  return Object.values(state.peers).some(
    ({ id, name, remembered }) => remembered && (id === peer || name === peer),
  );
}
