/** A node with a plugin in an endless loop; prints the plugin process's id. To be killed by a test. */
import { readdirSync, readFileSync } from 'node:fs';
import { pair } from '../../../core/plugin-host/test/support/fakes.ts';
import { isolatedHost } from './plugins.ts';

const [plugin = '', directory = ''] = process.argv.slice(2);
const { host, registry } = isolatedHost({ directory });
await host.start();
await host.develop(plugin);
void registry.strategies.get('one@1')?.assess(pair);
for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
  try {
    const [, state] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (state?.split(' ')[1] === String(process.pid) && command.includes('plugin-process')) console.log(pid);
  } catch {
    // it ended meanwhile
  }
}
setInterval(() => undefined, 1000);
