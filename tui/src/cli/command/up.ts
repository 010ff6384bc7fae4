import { relayEvents } from '../event-lines.ts';
import { ownNode } from '../node-access.ts';
import { safe } from '../output.ts';
import { rendezvousConfig } from '../rendezvous-option.ts';
import { untilStopped } from '../signals.ts';
import type { CommandModule } from '../spec.ts';
import { given, textOf } from '../values.ts';
import { untilRegistered } from '../wait.ts';

export const run: CommandModule['run'] = async (context, _args, options) => {
  const { output, signal } = context;
  await using node = await ownNode(context, {
    overrides: given({ name: textOf(options, 'name'), rendezvous: rendezvousConfig(options) }),
  });
  using _events = relayEvents(output, node.client);
  const { state } = await node.client.snapshot();
  output.event('node.ready', { name: state.node.name, peer: state.node.peerId, home: node.home.directory });
  output.line(`${safe(state.node.name)} is up (${state.node.peerId}); AWL_HOME ${node.home.directory}`);
  // A node lives on without its rendezvous, and keeps trying.
  untilRegistered({ client: node.client, own: node }, signal).then(
    () => output.line('Registered at the rendezvous, or none is set.'),
    (error: unknown) => void (signal.aborted || output.error(error)),
  );
  await Promise.race([untilStopped(signal), node.stopRequested]);
};
