import { readConfig } from '../config-access.ts';
import type { CommandModule } from '../spec.ts';
import { printTable } from '../table.ts';

/** Shown by `awl config get` only: a list is often pasted somewhere. */
const SECRETS = ['password', 'rendezvous.key'];
const HIDDEN = '(hidden)';

export const run: CommandModule['run'] = async (context) => {
  const { output, home } = context;
  const { flatten } = await import('@awl/node');
  const config = (await readConfig(context)) as Parameters<typeof flatten>[0];
  const rows = flatten(config).map(([key, value]) => [key, SECRETS.includes(key) ? HIDDEN : value] as const);
  output.object(Object.fromEntries(rows));
  if (rows.length === 0) output.line('Nothing is set.');
  else {
    printTable(
      output,
      [{ title: 'Key' }, { title: 'Value' }],
      rows.map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
    );
  }
  output.line(`\nAWL_HOME ${home}`);
};
