import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Kernel clock ticks a second, as in /proc/PID/stat. */
const TICKS_PER_SECOND = 100;
const AWL = join(import.meta.dirname, '../../tui/bin/awl.js');
const TLS_PROXY = join(import.meta.dirname, 'tls-proxy.ts');
const KCPTUN =
  '--nocomp --ds 0 --ps 0 --mode fast3 --sndwnd 2048 --rcvwnd 2048 --mtu 1400 --quiet --log /dev/null'.split(
    ' ',
  );

/** Commands that together make `listenPort` forward to `targetPort`, both on 127.0.0.1. */
export interface Commands {
  /** What a forwarder needs and whose cost does not count. */
  readonly aux: readonly string[][];
  readonly counted: readonly string[][];
}

/** What is measured: its name, and how it is started. */
export const contenders: Record<
  string,
  (folder: string, listenPort: number, targetPort: number, port: number, alt: number) => Commands
> = {
  'awl-udp': (folder, listen, target, port, alt) => awl('udp', folder, listen, target, port, alt),
  'awl-tcp': (folder, listen, target, port, alt) => awl('tcp', folder, listen, target, port, alt),
  'kcptun-none': (_folder, listen, target, port) => kcptun('none', listen, target, port),
  'kcptun-aes128': (_folder, listen, target, port) => kcptun('aes-128', listen, target, port),
  'node-tls': (folder, listen, target, port) => tlsProxies(folder, listen, target, port),
};

/** A bare pair of proxies in Node, TLS in between. */
function tlsProxies(folder: string, listen: number, target: number, port: number): Commands {
  const made = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  const kind = ['-x509', '-newkey', 'ed25519', '-nodes', '-subj', '/CN=bench', '-days', '2'];
  execFileSync('openssl', ['req', ...kind, ...made], { stdio: 'ignore' });
  const half = (side: string, from: number, to: number): string[] => [
    process.execPath,
    TLS_PROXY,
    side,
    `${from}`,
    `${to}`,
    folder,
  ];
  return { aux: [], counted: [half('far', port, target), half('near', listen, port)] };
}

function awl(
  transport: string,
  folder: string,
  listen: number,
  target: number,
  port: number,
  alt: number,
): Commands {
  const ticket = join(folder, `ticket-${port}`);
  const home = (name: string): string => `AWL_HOME=${join(folder, `${name}-${port}`)}`;
  const run = (name: string, args: string[]): string[] => ['env', home(name), process.execPath, AWL, ...args];
  const path = ['--ticket-file', ticket, '--transport', transport];
  return {
    aux: [
      run('rendezvous', ['rendezvous', '--host', '127.0.0.1', '--port', `${port}`, '--alt-port', `${alt}`]),
    ],
    counted: [
      run('share', ['share', `127.0.0.1:${target}`, '--rendezvous', `awl://127.0.0.1:${port}`, ...path]),
      run('connect', ['connect', ...path, '--listen', `127.0.0.1:${listen}`]),
    ],
  };
}

function kcptun(crypt: string, listen: number, target: number, port: number): Commands {
  return {
    aux: [],
    counted: [
      ['kcptun-server', '-l', `127.0.0.1:${port}`, '-t', `127.0.0.1:${target}`, '--crypt', crypt, ...KCPTUN],
      ['kcptun-client', '-l', `127.0.0.1:${listen}`, '-r', `127.0.0.1:${port}`, '--crypt', crypt, ...KCPTUN],
    ],
  };
}

/** A running contender. */
export class Running implements AsyncDisposable {
  readonly #children: ChildProcess[] = [];
  #counted: number[] = [];

  async start(commands: Commands): Promise<void> {
    for (const command of commands.aux) this.#spawn(command);
    if (commands.aux.length > 0) await sleep(1500);
    for (const command of commands.counted) {
      this.#counted.push(this.#spawn(command).pid!);
      await sleep(commands.aux.length > 0 ? 1500 : 200);
    }
  }

  #spawn([command, ...args]: string[]): ChildProcess {
    const child = spawn(command!, args, { stdio: 'ignore' });
    child.on('error', () => {});
    this.#children.push(child);
    return child;
  }

  /** CPU seconds so far and the sum of peak resident memory, MB, of all counted processes and their children. */
  cost(): { cpuSeconds: number; peakMb: number } {
    let ticks = 0;
    let peakKb = 0;
    for (const pid of withChildren(this.#counted)) {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        ticks += Number(fields[11]) + Number(fields[12]);
        peakKb += Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
      } catch {
        // It has ended.
      }
    }
    return { cpuSeconds: ticks / TICKS_PER_SECOND, peakMb: peakKb / 1024 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      const slow = setTimeout(() => child.kill('SIGKILL'), 3000);
      await ended;
      clearTimeout(slow);
    }
  }
}

function withChildren(pids: readonly number[]): Set<number> {
  const all = new Set(pids);
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended.
    }
  }
  for (let before = -1; before !== all.size;) {
    before = all.size;
    for (const [pid, parent] of parents) if (all.has(parent)) all.add(pid);
  }
  return all;
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
