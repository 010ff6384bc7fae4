import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ensureBuilt, REPOSITORY } from './build.ts';

await ensureBuilt();

/** Long enough for a machine that does other things: reached only when something hangs. */
const PATIENCE_MS = 60_000;

export interface Event {
  readonly event: string;
  readonly time: number;
  readonly [key: string]: unknown;
}

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly home?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
}

/** One `awl …`, run as a user would. */
export class Awl implements AsyncDisposable {
  readonly process: ChildProcess;
  readonly result: Promise<Result>;
  readonly #events: Event[] = [];
  readonly #waiting = new Set<() => void>();
  #stdout = '';
  #stderr = '';
  #ended = false;

  constructor(args: readonly string[], { home, env = {}, cwd, input }: RunOptions = {}) {
    const { AWL_HOME: _home, AWL_PASSWORD: _password, ...inherited } = process.env;
    const child = spawn(process.execPath, [join(REPOSITORY, 'tui/bin/awl.js'), ...args], {
      cwd: cwd ?? tmpdir(),
      env: { ...inherited, NODE_ENV: 'production', ...(home ? { AWL_HOME: home } : {}), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.process = child;
    child.stdin.on('error', () => undefined);
    if (input !== undefined) child.stdin.end(input);
    createInterface({ input: child.stdout }).on('line', (line) => this.#onLine(line));
    child.stderr.on('data', (data: Buffer) => (this.#stderr += data.toString()));
    this.result = once(child, 'close').then(([code]) => {
      this.#ended = true;
      this.#wake();
      return { code: code as number | null, stdout: this.#stdout, stderr: this.#stderr };
    });
  }

  /** The first event of this name, also one that came before. */
  async event(name: string, fits: (event: Event) => boolean = () => true): Promise<Event> {
    return this.#until(
      () => this.#events.find((event) => event.event === name && fits(event)),
      `the event ${name}`,
    );
  }

  /** The first line of standard output that matches. */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until(() => pattern.exec(this.#stdout) ?? undefined, `a line ${pattern}`);
  }

  /** The first thing on standard error that matches. */
  warning(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until(() => pattern.exec(this.#stderr) ?? undefined, `a warning ${pattern}`);
  }

  /** Ends it as Ctrl-C would; resolves with its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Result> {
    this.process.kill(signal);
    return this.result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.process.kill('SIGKILL');
    await this.result;
  }

  #onLine(line: string): void {
    this.#stdout += `${line}\n`;
    if (line.startsWith('{')) {
      try {
        this.#events.push(JSON.parse(line) as Event);
      } catch {
        // Not for scripts.
      }
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  #until<T>(find: () => T | undefined, what: string): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const say = (why: string): Error =>
      new Error(`${why} before ${what}\nstdout: ${this.#stdout}\nstderr: ${this.#stderr}`);
    const look = (): void => {
      const found = find();
      if (found !== undefined) resolve(found);
      else if (this.#ended) reject(say('it ended'));
    };
    const timer = setTimeout(() => reject(say('nothing came')), PATIENCE_MS);
    this.#waiting.add(look);
    this.process.stderr?.on('data', look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(look);
      this.process.stderr?.off('data', look);
    });
  }
}

/** Runs a command to its end. */
export function awl(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return new Awl(args, { input: '', ...options }).result;
}

/** What a command with --json answers with. */
export async function answer<T = Record<string, unknown>>(
  args: readonly string[],
  options: RunOptions = {},
): Promise<T> {
  const { code, stdout, stderr } = await awl([...args, '--json'], options);
  if (code !== 0) throw new Error(`awl ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** Empty directories for AWL_HOMEs, gone after the test. */
export async function homes(): Promise<
  AsyncDisposable & { path(name: string): string; readonly directory: string }
> {
  const directory = await mkdtemp(join(tmpdir(), 'awl-e2e-'));
  return {
    directory,
    path: (name) => join(directory, name),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
