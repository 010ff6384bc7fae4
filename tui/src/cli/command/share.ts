import { rename, writeFile } from 'node:fs/promises';
import { AwlError } from '@awl/wire';
import { relayEvents } from '../event-lines.ts';
import { useNode } from '../node-access.ts';
import { rendezvousConfig } from '../rendezvous-option.ts';
import type { CommandModule } from '../spec.ts';
import { durationOf, given, numberOf, protocolOf, textOf, transportOf } from '../values.ts';
import { untilRegistered, untilStoppedOrLost } from '../wait.ts';

export const run: CommandModule['run'] = async (context, [target = ''], options) => {
  const { output, signal } = context;
  const expiresS = durationOf(options, 'expires');
  const uses = numberOf(options, 'uses', 1, 256);
  const name = textOf(options, 'name');
  const transport = transportOf(options);
  await using node = await useNode(context, {
    overrides: given({ name, transport, rendezvous: rendezvousConfig(options) }),
  });
  const { client } = node;
  using _events = relayEvents(output, client, ['share.ready']);
  if (!node.own && (name ?? transport) !== undefined) {
    output.warn('The running node keeps its name and transports; change them by `awl config set`.');
  }
  if (node.own) {
    const step = await output.step('Registering at the rendezvous');
    try {
      await untilRegistered(node, signal);
    } catch (error) {
      step.failed('Not registered at the rendezvous');
      throw error;
    }
    step.done('Ready');
  }
  const protocol = protocolOf(options);
  const { share, ticket } = await client.command(
    'share.add',
    given({ target, protocol, expiresS, uses, store: options['store'] === true }),
    signal,
  );
  const file = textOf(options, 'ticketFile');
  if (file !== undefined) await writeTicket(file, ticket);
  // Only now: whoever waits for this may read the file next.
  output.event('share.ready', { share, ticket });
  output.line(`Sharing ${target}. The other side runs:\n`);
  output.line(`  awl connect ${ticket} --listen :8585\n`);
  await untilStoppedOrLost(node, signal);
  if (!node.own && options['store'] !== true) await client.command('share.remove', { share });
};

/** Whole or not at all: another process may wait for the file to appear. */
async function writeTicket(file: string, ticket: string): Promise<void> {
  try {
    await writeFile(`${file}.new`, `${ticket}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  } catch (cause) {
    throw new AwlError('ERR_STORAGE', `Cannot write the ticket to ${file}: ${(cause as Error).message}.`, {
      cause,
    });
  }
}
