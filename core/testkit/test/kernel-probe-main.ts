/** The classic probe on the operating system's sockets: `serve` prints "ready" and stays, `probe` prints the verdict as JSON. */
import { nodeNetwork } from '../../engine/src/socket/node-network.ts';
import { realClock } from '../../engine/src/socket/real-clock.ts';
import { probe, serveProbes } from './classic-probe.ts';

const [role, first = '', second = ''] = process.argv.slice(2);
if (role === 'serve') {
  await serveProbes(nodeNetwork, [first, second]);
  console.log('ready');
} else {
  console.log(JSON.stringify(await probe(nodeNetwork, realClock, [first, second])));
  process.exit(0);
}
