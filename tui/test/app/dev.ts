/** The app on a made-up engine, for a look at it: `node --conditions=source --import ./scripts/tsx.ts tui/test/app/dev.ts [--peers N] [--still] [--first] [--hostile]`. */
import { parseArgs } from 'node:util';
import { canShowApp, runApp } from '../../src/app/index.ts';
import { liveClient } from './live-client.ts';

const { values } = parseArgs({
  options: {
    peers: { type: 'string', default: '0' },
    still: { type: 'boolean' },
    first: { type: 'boolean' },
    hostile: { type: 'boolean' },
    empty: { type: 'boolean' },
  },
});
const { stdin, stdout, env } = process;
if (!canShowApp(stdin, stdout, env)) {
  console.log('no terminal');
  process.exit(1);
}
using live = liveClient({
  peers: Number(values.peers),
  isStill: values.still ?? false,
  isHostile: values.hostile ?? false,
  isEmpty: values.empty ?? false,
});
await runApp({ client: live.client, stdout, stdin, env, now: live.now, isFirstStart: values.first ?? false });
