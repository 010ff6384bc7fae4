/**
 * Two homes behind kernel NATs and a rendezvous host on an internet between them, in network namespaces of this machine. Needs root, `ip`
 * and `nft`. Everything is removed when disposed.
 */
import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** `random`: the kernel takes a random port for each destination; `preserving`: it keeps the port where it is free. */
export type HomeNat = 'preserving' | 'random';

export type HostName = 'srv' | 'a' | 'b';

export const SRV_ADDRESSES = ['203.0.113.2', '203.0.113.3'] as const;

/** Why the tests can't run here, or false. */
export async function whyNot(...tools: string[]): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  for (const tool of ['ip', 'nft', ...tools]) {
    const found = await run('which', [tool]).then(
      () => true,
      () => false,
    );
    if (!found) return `needs ${tool}`;
  }
  return false;
}

/** The network; see the file's comment. */
export class Homes implements AsyncDisposable {
  readonly #prefix = `awlt${randomBytes(3).toString('hex')}`;
  readonly #children = new Set<ChildProcess>();

  private constructor() {}

  /** @param natA, natB the home routers' NATs */
  static async create(natA: HomeNat, natB: HomeNat): Promise<Homes> {
    const homes = new Homes();
    try {
      await homes.#build(natA, natB);
      return homes;
    } catch (error) {
      await homes[Symbol.asyncDispose]();
      throw error;
    }
  }

  namespace(host: HostName | 'inet' | 'gwA' | 'gwB'): string {
    return `${this.#prefix}-${host}`;
  }

  /** Starts a program on a host; it is ended with the network. */
  spawn(host: HostName, command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.namespace(host), command, ...args], {
      stdio: 'pipe',
      ...options,
    });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** Runs a program on a host to its end; rejects unless it exits with 0. */
  async exec(host: HostName | 'gwA' | 'gwB' | 'inet', command: string, ...args: string[]): Promise<string> {
    const { stdout } = await run('ip', ['netns', 'exec', this.namespace(host), command, ...args], {
      maxBuffer: 1 << 26,
    });
    return stdout;
  }

  /** Bytes that a host's only link received and sent. */
  async linkBytes(host: HostName): Promise<number> {
    const link = JSON.parse(await this.exec(host, 'ip', '-s', '-j', 'link', 'show', 'wan')) as {
      stats64: { rx: { bytes: number }; tx: { bytes: number } };
    }[];
    const { rx, tx } = link[0]!.stats64;
    return rx.bytes + tx.bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = [...this.#children].map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(ended);
    for (const host of ['a', 'b', 'gwA', 'gwB', 'srv', 'inet'] as const)
      await run('ip', ['netns', 'del', this.namespace(host)]).catch(() => {});
  }

  async #build(natA: HomeNat, natB: HomeNat): Promise<void> {
    for (const host of ['inet', 'srv', 'gwA', 'gwB', 'a', 'b'] as const) {
      await run('ip', ['netns', 'add', this.namespace(host)]);
      await this.exec(host, 'ip', 'link', 'set', 'lo', 'up');
    }
    await this.#link('inet', 'srv', '203.0.113.1/24', `${SRV_ADDRESSES[0]}/24`);
    await this.exec('srv', 'ip', 'address', 'add', `${SRV_ADDRESSES[1]}/24`, 'dev', 'wan');
    await this.#home('A', natA, '198.51.100.1', '198.51.100.2', '192.168.10');
    await this.#home('B', natB, '198.51.100.5', '198.51.100.6', '192.168.11');
    await this.exec('inet', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  }

  async #home(side: 'A' | 'B', nat: HomeNat, internet: string, wan: string, lan: string): Promise<void> {
    const gateway = `gw${side}` as const;
    const host = side.toLowerCase() as 'a' | 'b';
    await this.#link('inet', gateway, `${internet}/30`, `${wan}/30`);
    await this.#link(gateway, host, `${lan}.1/24`, `${lan}.2/24`);
    await this.exec(gateway, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const masquerade = nat === 'random' ? 'masquerade fully-random' : 'masquerade';
    await this.exec(
      gateway,
      'nft',
      `table ip home {
         chain nat { type nat hook postrouting priority srcnat; oifname "wan" ${masquerade}; }
         chain input { type filter hook input priority filter; policy accept; iifname "wan" ct state new drop; }
         chain forward { type filter hook forward priority filter; policy accept; iifname "wan" ct state new drop; }
       }`,
    );
  }

  /** A link from `from` to `to`, whose side is called wan and leads to everything else. */
  async #link(
    from: 'inet' | 'gwA' | 'gwB',
    to: 'srv' | 'gwA' | 'gwB' | 'a' | 'b',
    fromAddress: string,
    toAddress: string,
  ): Promise<void> {
    const near = `to-${to}`;
    await run('ip', [
      'link',
      'add',
      near,
      'netns',
      this.namespace(from),
      'type',
      'veth',
      'peer',
      'name',
      'wan',
      'netns',
      this.namespace(to),
    ]);
    await this.exec(from, 'ip', 'address', 'add', fromAddress, 'dev', near);
    await this.exec(from, 'ip', 'link', 'set', near, 'up');
    await this.exec(to, 'ip', 'address', 'add', toAddress, 'dev', 'wan');
    await this.exec(to, 'ip', 'link', 'set', 'wan', 'up');
    await this.exec(to, 'ip', 'route', 'add', 'default', 'via', fromAddress.split('/')[0]!);
  }
}
