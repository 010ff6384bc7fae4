import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Awl } from './awl.ts';
import { daemonConfiguration, listening, MINIUPNPD, routerRules } from './miniupnpd.ts';

const run = promisify(execFile);
const AWL = new URL('../../../tui/bin/awl.js', import.meta.url).pathname;

/** The rendezvous' addresses. */
export const SRV = ['203.0.113.2', '203.0.113.3'] as const;

/** P and X of RFC 4787's behaviours as the kernel has them; the same without any UDP. */
export type MappedNat = 'P' | 'X' | 'P without UDP' | 'X without UDP';
type Host = 'srv' | 'a' | 'b';
type Namespace = Host | 'inet' | 'gwA' | 'gwB';

let count = 0;

/** Two homes on an internet, the first behind a router with the real miniupnpd. Public addresses are such as that maps. */
export class MappedHomes implements AsyncDisposable {
  readonly #prefix = `awlpair${process.pid}x${count++}`;
  readonly #children = new Set<ChildProcess>();
  #directory = '';

  static async create(natA: MappedNat, natB: MappedNat): Promise<MappedHomes> {
    const homes = new MappedHomes();
    try {
      await homes.#build(natA, natB);
      return homes;
    } catch (error) {
      await homes[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a command of awl on a host, in the host's own AWL_HOME, and follows it. */
  awl(host: Host, ...args: string[]): Awl {
    return new Awl(this.spawn(host, [process.execPath, AWL, ...args, '--json']));
  }

  spawn(namespace: Namespace, argv: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.#prefix + namespace, ...argv], {
      stdio: 'pipe',
      env: { ...process.env, AWL_HOME: join(this.#directory, `home-${namespace}`) },
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  async exec(namespace: Namespace, ...argv: string[]): Promise<string> {
    const { stdout } = await run('ip', ['netns', 'exec', this.#prefix + namespace, ...argv], {
      env: { ...process.env, AWL_HOME: join(this.#directory, `home-${namespace}`) },
    });
    return stdout;
  }

  /** Enables a plugin of a host. */
  async enable(host: Host, plugin: string): Promise<void> {
    await this.exec(host, process.execPath, AWL, 'plugin', 'enable', plugin);
  }

  /** What the first home's router maps. */
  async table(): Promise<string[]> {
    const chain = await this.exec('gwA', 'nft', 'list', 'chain', 'inet', 'awl', 'mapped');
    return chain.split('\n').filter((line) => line.includes('dnat'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    for (const name of ['a', 'b', 'gwA', 'gwB', 'srv', 'inet'])
      await run('ip', ['netns', 'del', this.#prefix + name]).catch(() => {});
    if (this.#directory) await rm(this.#directory, { recursive: true, force: true });
  }

  async #build(natA: MappedNat, natB: MappedNat): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), 'awl-pair-'));
    for (const name of ['inet', 'srv', 'gwA', 'gwB', 'a', 'b'] as const) {
      await run('ip', ['netns', 'add', this.#prefix + name]);
      await this.exec(name, 'ip', 'link', 'set', 'lo', 'up');
    }
    await this.#link(['inet', 'srv', '203.0.113.1'], ['srv', 'wan', SRV[0]]);
    await this.exec('srv', 'ip', 'addr', 'add', `${SRV[1]}/24`, 'dev', 'wan');
    await this.exec('inet', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await this.#home('A', natA, '11.0.0', '192.168.10');
    await this.#home('B', natB, '11.0.1', '192.168.11');
    const [conf, pid, leases] = ['conf', 'pid', 'leases'].map((name) => join(this.#directory, name));
    await writeFile(conf!, daemonConfiguration('192.168.10', leases!));
    await listening(this.spawn('gwA', [MINIUPNPD, '-d', '-f', conf!, '-P', pid!]));
  }

  async #home(side: 'A' | 'B', nat: MappedNat, wan: string, lan: string): Promise<void> {
    const [gateway, host] = [`gw${side}`, side.toLowerCase()] as ['gwA', 'a'];
    await this.#link(['inet', `home${side}`, `${wan}.1`], [gateway, 'wan', `${wan}.2`]);
    await this.#link([gateway, 'lan', `${lan}.1`], [host, 'wan', `${lan}.10`]);
    await this.exec(gateway, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const masquerade = nat.startsWith('X') ? 'masquerade fully-random' : 'masquerade';
    const rules = routerRules(masquerade, nat.endsWith('UDP') ? 'meta l4proto udp drop' : '');
    await this.exec(gateway, 'nft', rules);
  }

  /** A link of which the second end leads to everything else. */
  async #link(
    [from, fromName, fromAddress]: readonly [Namespace, string, string],
    [to, toName, toAddress]: readonly [Namespace, string, string],
  ): Promise<void> {
    const ends = [this.#prefix + from, 'type', 'veth', 'peer', 'name', toName, 'netns', this.#prefix + to];
    await run('ip', ['link', 'add', fromName, 'netns', ...ends]);
    await this.exec(from, 'ip', 'addr', 'add', `${fromAddress}/24`, 'dev', fromName);
    await this.exec(from, 'ip', 'link', 'set', fromName, 'up');
    await this.exec(to, 'ip', 'addr', 'add', `${toAddress}/24`, 'dev', toName);
    await this.exec(to, 'ip', 'link', 'set', toName, 'up');
    await this.exec(to, 'ip', 'route', 'add', 'default', 'via', fromAddress);
  }
}
