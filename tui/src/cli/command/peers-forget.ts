import { safe } from '../output.ts';
import { useNode } from '../node-access.ts';
import type { CommandModule } from '../spec.ts';

export const run: CommandModule['run'] = async (context, [peer = '']) => {
  await using node = await useNode(context, { offline: true });
  await node.client.command('peer.forget', { peer });
  context.output.object({ forgotten: peer });
  context.output.line(`${safe(peer)} is forgotten: it needs a ticket or the password to come back.`);
};
