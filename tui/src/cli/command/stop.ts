import { requireNode } from '../node-access.ts';
import type { CommandModule } from '../spec.ts';

export const run: CommandModule['run'] = async (context) => {
  await using client = await requireNode(context);
  await client.command('node.stop', {});
  await client.closed;
  context.output.object({ stopped: true });
  context.output.line('The node has stopped.');
};
