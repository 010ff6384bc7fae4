/**
 * A keeper of port mappings with the real plugins and sockets, for a network namespace: takes one JSON array `[command, argument]` a line and
 * answers each with one line.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import type { JsonValue, Logger, PluginContext, PortMapper } from '@awl/api';
import { fakeState } from '@awl/testkit';
import { activate as activateNatPmpPcp } from '@awl/plugin-nat-pmp-pcp';
import { activate as activateUpnp } from '@awl/plugin-upnp';
import { MappingKeeper, type MappingWish } from '../../../core/engine/src/candidate/mapping-keeper.ts';
import { StateStore } from '../../../core/engine/src/client.ts';
import { HookBus } from '../../../core/engine/src/hook/hook-bus.ts';
import { lanHost } from '../../../core/engine/src/socket/lan-host.ts';
import { nodeNetwork } from '../../../core/engine/src/socket/node-network.ts';
import { realClock, realRandom } from '../../../core/engine/src/socket/real-clock.ts';

const [wanted = '', store = ''] = process.argv.slice(2);
const line = (message: string): void => console.error(message);
const log: Logger = { debug: line, info: line, warn: line, error: line };
const mappers: PortMapper[] = [];
const context = {
  host: lanHost(nodeNetwork, { plugin: 'test', capabilities: ['udp', 'lan-http', 'multicast'] }),
  clock: realClock,
  random: realRandom,
  log,
  portMappers: {
    register(mapper: PortMapper): Disposable {
      if (wanted.split(',').includes(mapper.id)) mappers.push(mapper);
      return { [Symbol.dispose]: () => {} };
    },
  },
} as unknown as PluginContext;
activateNatPmpPcp(context);
activateUpnp(context);

const keeper = new MappingKeeper({
  mappers: () => mappers,
  clock: realClock,
  wallClock: Date.now,
  storage: {
    load: async () => JSON.parse(await readFile(store, 'utf8')) as JsonValue,
    save: (value) => writeFile(store, JSON.stringify(value)),
  },
  hooks: new HookBus(realClock, () => {}),
  state: new StateStore(realClock, fakeState()),
  log,
});
const never = new AbortController().signal;

const COMMANDS: { readonly [name: string]: (argument: never) => unknown } = {
  start: () => keeper.start(),
  discover: () => Promise.all(mappers.map((mapper) => mapper.discover(never))),
  acquire: (wish: MappingWish) => keeper.acquire(wish, never),
  release: (wish: MappingWish) => keeper.release(wish),
  check: async () => {
    await keeper.check();
    return keeper.mappings();
  },
  reasons: () => [...keeper.reasons()],
  /** A web server, which answers `served`. */
  serve: (port: number) =>
    once(createServer((_, response) => response.end('served')).listen(port), 'listening').then(() => null),
  /** Maps UDP port 40000 for another address of the LAN, by NAT-PMP (RFC 6886 §3.3). */
  neighbour: async (address: string) => {
    const socket = createSocket('udp4').bind(0, address);
    socket.send(Buffer.from('000100009c409c4000000e10', 'hex'), 5351, '192.168.10.1');
    await once(socket, 'message');
    socket.close();
  },
  exit: () => keeper.releaseAll(),
};

for await (const text of createInterface({ input: process.stdin })) {
  const [name, argument] = JSON.parse(text) as [string, never];
  const result: unknown = await COMMANDS[name]!(argument);
  console.log(JSON.stringify(result ?? null));
  if (name === 'exit') process.exit(0);
}
