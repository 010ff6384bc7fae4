/** The app on a made-up engine, for a look at it: `node --conditions=source --import ./scripts/tsx.ts tui/test/app/dev.ts [--peers N] [--still] [--first] [--hostile]`. */
import { parseArgs } from 'node:util';
import { canShowApp, runApp } from '../../src/app/index.ts';
import { liveClient } from './live-client.ts';

const { values } = parseArgs({
  options: {
    peers: { type: 'string', default: '0' },
    moving: { type: 'string', default: '50' },
    still: { type: 'boolean' },
    first: { type: 'boolean' },
    hostile: { type: 'boolean' },
    empty: { type: 'boolean' },
    crash: { type: 'string' },
  },
});
const { stdin, stdout, env } = process;
if (!canShowApp(stdin, stdout, env)) {
  console.log('no terminal');
  process.exit(1);
}
using live = liveClient({
  peers: Number(values.peers),
  moving: Number(values.moving),
  isStill: values.still ?? false,
  isHostile: values.hostile ?? false,
  isEmpty: values.empty ?? false,
});
process.once('SIGUSR2', () => {
  if (values.crash === 'render') live.client.push({ section: 'nat', value: {} as never });
  else throw new Error('crashed on purpose');
});
await runApp({ client: live.client, stdout, stdin, env, now: live.now, isFirstStart: values.first ?? false });
