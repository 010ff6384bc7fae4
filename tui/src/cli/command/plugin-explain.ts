import { AwlError } from '@awl/wire';
import { useNode } from '../node-access.ts';
import { safe } from '../output.ts';
import type { CommandModule } from '../spec.ts';

const LOG_LINES = 20;

export const run: CommandModule['run'] = async (context, [id = '']) => {
  const { output } = context;
  await using node = await useNode(context, { offline: true });
  const { state } = await node.client.snapshot();
  const plugin = state.plugins[id];
  if (!plugin) throw new AwlError('ERR_PLUGIN_UNKNOWN', `No plugin is called ${id}.`);
  const log = state.log.filter(({ source }) => source === id).slice(-LOG_LINES);
  output.object({ ...plugin, log });
  output.line(
    safe(`${plugin.displayName} (${plugin.id}) ${plugin.version}${plugin.builtIn ? ', part of awl' : ''}`),
  );
  output.line(safe(plugin.description));
  output.line(
    safe(
      `State: ${plugin.status}${plugin.code ? `, ${plugin.reason} (${plugin.code})` : ''}, ${plugin.failures} failures`,
    ),
  );
  output.line(safe(`May touch: ${plugin.capabilities.join(', ') || 'nothing'}`));
  output.line('Contributes:');
  for (const contribution of plugin.contributes) output.line(safe(`  ${contribution}`));
  const settings = Object.entries(plugin.settings.values);
  if (settings.length > 0) output.line('Settings:');
  for (const [key, value] of settings) output.line(safe(`  ${key} = ${JSON.stringify(value)}`));
  if (log.length > 0) output.line('Log:');
  for (const { level, text } of log) output.line(safe(`  ${level.padEnd(5)} ${text}`));
};
