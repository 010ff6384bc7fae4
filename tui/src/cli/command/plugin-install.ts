import { useNode } from '../node-access.ts';
import { safe } from '../output.ts';
import { confirm } from '../password-input.ts';
import type { CommandModule } from '../spec.ts';
import { existingPath } from '../paths.ts';

export const run: CommandModule['run'] = async (context, [named = ''], options) => {
  const { output, signal } = context;
  // The running node has another working directory.
  const from = existingPath(named) ?? named;
  await using node = await useNode(context, { offline: true });
  const step = await output.step(`Looking at ${safe(named)}`);
  const offer = await node.client
    .command('plugin.install', { from, confirmed: false }, signal)
    .finally(() => step.done(safe(named)));
  output.line(`${safe(offer.plugin)} may touch: ${safe(offer.capabilities.join(', ')) || 'nothing'}`);
  const agreed = options['yes'] === true || (process.stdin.isTTY && (await confirm('Install it?', signal)));
  if (!agreed) {
    output.object(offer);
    output.line('Not installed. Add --yes to install without being asked.');
    return 1;
  }
  const result = await node.client.command('plugin.install', { from, confirmed: true }, signal);
  output.object(result);
  output.line(`${safe(result.plugin)} is installed.`);
  return 0;
};
