import { writeConfig } from '../config-access.ts';
import type { CommandModule } from '../spec.ts';

export const run: CommandModule['run'] = async (context, [key = '', text = '']) => {
  const value = await writeConfig(context, key, text);
  context.output.object({ key, value });
  context.output.line(value === null ? `${key} is removed.` : `${key} is set.`);
};
