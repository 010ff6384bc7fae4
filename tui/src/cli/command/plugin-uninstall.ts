import { useNode } from '../node-access.ts';
import { safe } from '../output.ts';
import type { CommandModule } from '../spec.ts';

export const run: CommandModule['run'] = async (context, [plugin = '']) => {
  await using node = await useNode(context, { offline: true });
  await node.client.command('plugin.uninstall', { plugin });
  context.output.object({ plugin, installed: false });
  context.output.line(`${safe(plugin)} is removed.`);
};
