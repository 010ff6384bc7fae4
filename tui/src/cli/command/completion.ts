import { AwlError } from '@awl/wire';
import type { CommandModule } from '../spec.ts';

const SHELLS = ['bash', 'zsh', 'fish', 'powershell'];

export const run: CommandModule['run'] = async ({ specs }, [shell = '']) => {
  if (!SHELLS.includes(shell)) {
    throw new AwlError('ERR_USAGE', `There is no completion for ${shell}.`, {
      remedy: `Shells are ${SHELLS.join(', ')}.`,
    });
  }
  const { completionScript } = await import('../completion.ts');
  completionScript(specs, shell);
};
