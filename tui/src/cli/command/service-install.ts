import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemctl, UNIT, unitPath, unitText } from '../systemd.ts';
import type { CommandModule } from '../spec.ts';

export const run: CommandModule['run'] = async ({ output, home }, _args, options) => {
  const { openHome } = await import('@awl/node');
  await openHome(home);
  const path = unitPath();
  await mkdir(dirname(path), { recursive: true });
  const script = process.argv[1] ?? fileURLToPath(import.meta.url);
  await writeFile(path, unitText({ node: process.execPath, script, home }));
  if (options['start'] !== false) {
    systemctl('daemon-reload');
    systemctl('enable', '--now', UNIT);
  }
  output.object({ unit: path, started: options['start'] !== false });
  output.line(`Wrote ${path}`);
  if (options['start'] === false)
    output.line(`Start it: systemctl --user daemon-reload && systemctl --user enable --now ${UNIT}`);
  output.line('To let it run while you are logged out: loginctl enable-linger');
};
