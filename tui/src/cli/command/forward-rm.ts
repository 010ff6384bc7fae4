import { AwlError } from '@awl/wire';
import { requireNode } from '../node-access.ts';
import type { CommandModule } from '../spec.ts';

export const run: CommandModule['run'] = async (context, [id = '']) => {
  await using client = await requireNode(context);
  const { state } = await client.snapshot();
  if (Object.hasOwn(state.forwards, id)) await client.command('forward.remove', { forward: id });
  else if (Object.hasOwn(state.shares, id)) await client.command('share.remove', { share: id });
  else {
    throw new AwlError('ERR_USAGE', `There is no forward or share ${id}.`, {
      remedy: '`awl forward ls` lists what is there.',
    });
  }
  context.output.object({ removed: id });
  context.output.line(`${id} is removed.`);
};
