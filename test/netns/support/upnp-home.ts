import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { promisify } from 'node:util';
import { daemonConfiguration, listening, MINIUPNPD, routerRules } from './miniupnpd.ts';

const run = promisify(execFile);
const MAIN = new URL('./mapping-main.ts', import.meta.url).pathname;

export const HOST = '192.168.10.10';
/** Another address of the LAN, for conflicts. */
export const NEIGHBOUR = '192.168.10.11';
/** A real public block: miniupnpd refuses private and documentation addresses outside. */
export const WAN = '11.0.0.2';
export const HOST_6 = '2001:db8:10::10';

/** Why the kernel tier with miniupnpd cannot run here; false where it can. */
export async function whyNoHome(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  for (const [tool, flag] of [
    ['ip', '-V'],
    ['nft', '-v'],
    [MINIUPNPD, '--version'],
  ] as const) {
    const found = await run(tool, [flag]).catch(() => undefined);
    if (!found) return `needs ${tool}`;
  }
  return false;
}

let count = 0;

/** Namespaces of a host, its router with the real miniupnpd, and a stranger on the internet. */
export class UpnpHome implements AsyncDisposable {
  readonly #prefix = `awlmap${process.pid}x${count++}`;
  readonly #children = new Set<ChildProcess>();
  #daemon: ChildProcess | undefined;
  #directory = '';

  static async create(): Promise<UpnpHome> {
    const home = new UpnpHome();
    try {
      home.#directory = await mkdtemp(join(tmpdir(), 'awl-upnp-'));
      for (const name of ['h', 'r', 's']) await run('ip', ['netns', 'add', home.#namespace(name)]);
      await home.shell('r', home.#layout());
      await writeFile(home.#file('conf'), daemonConfiguration('192.168.10', home.#file('leases')));
      await home.startRouter();
      return home;
    } catch (error) {
      await home[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts the daemon with an empty table. */
  async startRouter(): Promise<void> {
    await rm(this.#file('leases'), { force: true });
    await this.shell('r', `nft -f - <<'RULES'\n${routerRules()}\nRULES`);
    const daemon = this.#spawn('r', [MINIUPNPD, '-d', '-f', this.#file('conf'), '-P', this.#file('pid')]);
    this.#daemon = daemon;
    await listening(daemon);
  }

  /** As when its power fails: nothing is taken leave of. */
  async stopRouter(): Promise<void> {
    if (this.#daemon) await end(this.#daemon, 'SIGKILL');
  }

  /** The router's own table: what it maps and lets in. */
  async table(): Promise<string[]> {
    const chains = await Promise.all(
      ['mapped', 'pinned'].map((chain) => this.shell('r', `nft list chain inet awl ${chain}`)),
    );
    return chains
      .join('\n')
      .split('\n')
      .filter((line) => line.includes('dport'))
      .map((line) => line.trim());
  }

  /** Ports that the table has, each once. */
  async ports(): Promise<number[]> {
    const found = (await this.table()).map((line) => Number(/dport (\d+)/.exec(line)?.[1]));
    return [...new Set(found)].sort((a, b) => a - b);
  }

  async changeWan(from: string, to: string): Promise<void> {
    await this.shell('r', `ip addr del ${from}/24 dev wan; ip addr add ${to}/24 dev wan`);
  }

  /** A keeper of mappings on the host. */
  keeper(mapper: string): Keeper {
    const argv = [process.execPath, '--conditions=source', MAIN, mapper, this.#file('store.json')];
    return new Keeper(this.#spawn('h', argv));
  }

  /** What the stranger gets from a web server at this address; empty where nothing answers. */
  async fetch(host: string, port: number): Promise<string> {
    const script = `fetch('http://${host}:${port}/', { signal: AbortSignal.timeout(3000) })
      .then((answer) => answer.text()).then((text) => process.stdout.write(text, () => process.exit()), () => process.exit())`;
    return await this.exec('s', [process.execPath, '-e', script]);
  }

  async shell(name: 'h' | 'r' | 's', text: string): Promise<string> {
    return await this.exec(name, ['sh', '-ec', text]);
  }

  async exec(name: 'h' | 'r' | 's', argv: readonly string[]): Promise<string> {
    const { stdout } = await run('ip', ['netns', 'exec', this.#namespace(name), ...argv]);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) await end(child, 'SIGKILL');
    for (const name of ['h', 'r', 's'])
      await run('ip', ['netns', 'del', this.#namespace(name)]).catch(() => {});
    if (this.#directory) await rm(this.#directory, { recursive: true, force: true });
  }

  #spawn(name: 'h' | 'r', argv: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.#namespace(name), ...argv], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  #namespace(name: string): string {
    return this.#prefix + name;
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }

  #layout(): string {
    const [host, stranger] = [this.#namespace('h'), this.#namespace('s')];
    return `
      ip link add lan type veth peer name eth0 netns ${host}
      ip link add wan type veth peer name eth0 netns ${stranger}
      sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
      sysctl -qw net.ipv6.conf.lan.accept_dad=0 net.ipv6.conf.wan.accept_dad=0
      ip netns exec ${host} sysctl -qw net.ipv6.conf.eth0.accept_dad=0
      ip netns exec ${stranger} sysctl -qw net.ipv6.conf.eth0.accept_dad=0
      ip addr add 192.168.10.1/24 dev lan; ip addr add ${WAN}/24 dev wan
      ip addr add 2001:db8:10::1/64 dev lan; ip addr add fe80::1/64 dev lan; ip addr add 2001:db8:11::2/64 dev wan
      ip link set lo up; ip link set lan up; ip link set wan up
      ip -n ${host} addr add ${HOST}/24 dev eth0; ip -n ${host} addr add ${NEIGHBOUR}/24 dev eth0
      ip -n ${host} addr add ${HOST_6}/64 dev eth0
      ip -n ${host} link set lo up; ip -n ${host} link set eth0 up
      ip -n ${host} route add default via 192.168.10.1; ip -n ${host} -6 route add default via fe80::1 dev eth0
      ip -n ${stranger} addr add 11.0.0.3/24 dev eth0; ip -n ${stranger} addr add 2001:db8:11::3/64 dev eth0
      ip -n ${stranger} link set lo up; ip -n ${stranger} link set eth0 up
      ip -n ${stranger} -6 route add 2001:db8:10::/64 via 2001:db8:11::2
    `;
  }
}

/** The other side of mapping-main.ts. */
export class Keeper {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #interface: Interface;
  #errors = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#interface = createInterface({ input: child.stdout! });
    this.#lines = this.#interface[Symbol.asyncIterator]();
    child.stderr!.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
  }

  async ask<T>(command: string, argument?: unknown): Promise<T> {
    this.#child.stdin!.write(`${JSON.stringify([command, argument ?? null])}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the keeper ended: ${this.#errors}`);
    return JSON.parse(value) as T;
  }

  /** As in a crash. */
  async kill(): Promise<void> {
    await end(this.#child, 'SIGKILL');
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
