import type { JsonValue } from '@awl/api';
import { readConfig } from '../config-access.ts';
import type { CommandModule } from '../spec.ts';

export const run: CommandModule['run'] = async (context, [key = '']) => {
  const { output } = context;
  const value = await readConfig(context, key);
  output.object({ key, value });
  output.line(plain(value));
};

function plain(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
