/** Two nodes with a plugin, each behind a kernel NAT, and a web server at one of them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureBuilt, REPOSITORY } from '../../e2e/support/build.ts';
import { Awl, type AwlEvent } from '../../netns/support/awl.ts';
import { Homes, SRV_ADDRESSES, type HomeNat, type HostName } from '../../netns/support/homes.ts';

const run = promisify(execFile);
const AWL = join(REPOSITORY, 'tui', 'bin', 'awl.js');
const WEB_SERVER = `require('node:http').createServer((_, response) => response.end('hello')).listen(8000, '127.0.0.1', () => console.log('ready'))`;

/** The AWL_HOMEs of the nodes `a` and `b`, kept between networks. */
export class TwoHomes {
  readonly #parent: string;

  constructor(parent: string) {
    this.#parent = parent;
  }

  /** Installs a plugin at both nodes, as a user would. */
  async install(plugin: string): Promise<void> {
    await ensureBuilt();
    for (const host of ['a', 'b'] as const)
      await run(process.execPath, [AWL, 'plugin', 'install', plugin, '--yes'], { env: this.#env(host) });
  }

  /** Connects them by one of these strategies, uses the connection, and returns the path. */
  async connect(
    nats: readonly [HomeNat, HomeNat],
    strategies: readonly string[],
    transport: 'udp' | 'tcp',
    before: (homes: Homes) => Promise<void> = async () => {},
    after: () => Promise<void> = async () => {},
  ): Promise<AwlEvent> {
    await using homes = await Homes.create(...nats);
    const start = (host: HostName, ...args: string[]): Awl =>
      new Awl(homes.spawn(host, process.execPath, [AWL, ...args, '--json'], { env: this.#env(host) }));
    const web = homes.spawn('a', process.execPath, ['-e', WEB_SERVER]);
    await new Promise((resolve) => web.stdout!.once('data', resolve));
    const addresses = ['--host', SRV_ADDRESSES[0], '--alt-address', SRV_ADDRESSES[1]];
    await start('srv', 'rendezvous', ...addresses).event('rendezvous.ready');
    await before(homes);
    const url = `awl://${SRV_ADDRESSES[0]}`;
    const { ticket } = await start('a', 'share', '8000', '--rendezvous', url).event('share.ready');
    const how = ['--transport', transport, '--strategies', strategies.join(',')];
    const connect = start('b', 'connect', String(ticket), '--listen', ':8585', ...how);
    const path = await connect.event('path.selected');
    await connect.event('forward.listening');
    const answer = await homes.exec('b', 'curl', '-sS', '--max-time', '20', 'http://127.0.0.1:8585/');
    assert.equal(answer, 'hello');
    await after();
    return path;
  }

  #env(host: HostName): NodeJS.ProcessEnv {
    return { ...process.env, AWL_HOME: join(this.#parent, `home-${host}`) };
  }
}
