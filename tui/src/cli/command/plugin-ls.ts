import { formatDuration } from '../../app/text/format.ts';
import { useNode } from '../node-access.ts';
import type { CommandModule } from '../spec.ts';
import { printTable } from '../table.ts';

const COLUMNS = ['Id', 'Version', 'State', 'Touches', 'Started in', 'Failures', 'What'];

export const run: CommandModule['run'] = async (context) => {
  await using node = await useNode(context, { offline: true });
  const { state } = await node.client.snapshot();
  const plugins = Object.values(state.plugins).sort((a, b) => a.id.localeCompare(b.id));
  context.output.object({ plugins });
  printTable(
    context.output,
    COLUMNS.map((title) => ({ title })),
    plugins.map((plugin) => [
      plugin.id,
      plugin.version,
      plugin.code === undefined ? plugin.status : `${plugin.status} (${plugin.code})`,
      plugin.capabilities.join(', '),
      plugin.activationMs === undefined ? '–' : formatDuration(plugin.activationMs),
      String(plugin.failures),
      plugin.displayName,
    ]),
  );
};
