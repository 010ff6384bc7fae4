import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { systemctl, UNIT, unitPath } from '../systemd.ts';
import type { CommandModule } from '../spec.ts';

export const run: CommandModule['run'] = async ({ output }) => {
  const path = unitPath();
  const wasThere = existsSync(path);
  if (wasThere) {
    try {
      systemctl('disable', '--now', UNIT);
    } catch (error) {
      output.warn((error as Error).message);
    }
    await rm(path, { force: true });
  }
  output.object({ unit: path, removed: wasThere });
  output.line(wasThere ? `Removed ${path}` : `There is no ${path}.`);
};
