import { useNode } from '../node-access.ts';
import { safe } from '../output.ts';
import type { CommandModule } from '../spec.ts';

export const run: CommandModule['run'] = async (context, [plugin = ''], options) => {
  await using node = await useNode(context, { offline: true });
  await node.client.command('plugin.disable', { plugin, force: options['force'] === true });
  context.output.object({ plugin, enabled: false });
  context.output.line(`${safe(plugin)} is disabled.`);
};
