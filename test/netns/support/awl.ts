/** The real `awl` command on a host of the test network, followed by its NDJSON events. */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Homes, HostName } from './homes.ts';

const AWL = new URL('../../../tui/bin/awl.js', import.meta.url).pathname;
const EVENT_TIMEOUT_MS = 30_000;

export interface AwlEvent {
  readonly event: string;
  readonly time: number;
  readonly [key: string]: unknown;
}

/** A running command with an AWL_HOME of its own. */
export class Awl {
  readonly child: ChildProcess;
  readonly events: AwlEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #stderr = '';

  constructor(child: ChildProcess) {
    this.child = child;
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.events.push(JSON.parse(line) as AwlEvent);
      for (const wake of this.#waiting) wake();
    });
    child.stderr!.on('data', (chunk) => (this.#stderr = (this.#stderr + String(chunk)).slice(-4000)));
    child.once('exit', () => {
      for (const wake of this.#waiting) wake();
    });
  }

  /** The first event of this name, also one that came already; fails when the command ends before. */
  async event(name: string): Promise<AwlEvent> {
    const until = Date.now() + EVENT_TIMEOUT_MS;
    for (;;) {
      const found = this.events.find(({ event }) => event === name);
      if (found) return found;
      if (this.child.exitCode !== null || Date.now() > until)
        throw new Error(
          `no event ${name}; got ${this.events.map(({ event }) => event).join(', ')}\n${this.#stderr}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, until - Date.now());
        const waiting = this.#waiting;
        function wake(): void {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        }
        waiting.add(wake);
      });
    }
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.child.kill(signal);
  }
}

/** Starts commands and removes their homes in the end. */
export class AwlCommands implements AsyncDisposable {
  readonly #homes: Homes;
  readonly #directories: string[] = [];

  constructor(homes: Homes) {
    this.#homes = homes;
  }

  async start(host: HostName, args: readonly string[]): Promise<Awl> {
    const directory = await mkdtemp(join(tmpdir(), 'awl-netns-'));
    this.#directories.push(directory);
    // The namespace's own name serves as the kill group: `ip netns exec` becomes the command itself.
    return new Awl(
      this.#homes.spawn(host, process.execPath, [AWL, ...args, '--json'], {
        env: { ...process.env, AWL_HOME: directory },
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const directory of this.#directories) await rm(directory, { recursive: true, force: true });
  }
}
