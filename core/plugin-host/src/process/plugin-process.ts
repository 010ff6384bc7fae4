import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { Duplex, Readable } from 'node:stream';
import type { Capability, Clock } from '@awl/api';
import { AwlError } from '@awl/wire';
import { DENIES_NETWORK, processEntry } from './entry.ts';
import type { ProcessLimits } from './limits.ts';
import { Rpc, type RpcHandlers } from './rpc.ts';

/** Environment variables that a plugin process gets, where the node has them. */
const ENVIRONMENT = ['LANG', 'LC_ALL', 'TZ'];
const PAGE_BYTES = 4096;
const OUTPUT_LINE_LENGTH = 2000;
const EXIT_GRACE_MS = 200;

export interface ProcessOptions {
  readonly id: string;
  /** The package's directory and, where it has dependencies, what holds them. */
  readonly readable: readonly string[];
  /** Its working directory; made where it is missing. */
  readonly workDirectory: string;
  readonly capabilities: readonly Capability[];
  readonly limits: ProcessLimits;
  readonly clock: Clock;
  /** What it wrote to its standard output and error. */
  readonly output: (line: string) => void;
  readonly handlers: Pick<RpcHandlers, 'request' | 'notification'>;
  /** It ended, or had to be ended. Called once, not after {@link PluginProcess.stop}. */
  readonly ended: (error: AwlError) => void;
  readonly responsive: (answers: boolean) => void;
}

/** Node's own barriers. They contain a plugin; they do not make a sandbox. */
function permissionFlags(options: ProcessOptions, entryReadable: readonly string[]): string[] {
  const { workDirectory, capabilities } = options;
  const files = capabilities.includes('files');
  const readable = [...entryReadable, ...options.readable, ...(files ? [workDirectory] : [])];
  return [
    '--permission',
    ...readable.map((path) => `--allow-fs-read=${path}`),
    ...(files ? [`--allow-fs-write=${workDirectory}`] : []),
    ...(capabilities.includes('network') && DENIES_NETWORK ? ['--allow-net'] : []),
  ];
}

/**
 * Ends the process when the node is gone, however that ended: a plugin in an endless loop would not see its pipe close. The shell waits for
 * the end of its input, which only the node holds open.
 */
function startWatchdog(pid: number): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined;
  const watchdog = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$0" 2>/dev/null', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
    detached: true,
  });
  watchdog.on('error', () => undefined);
  watchdog.stdin.on('error', () => undefined);
  watchdog.unref();
  (watchdog.stdin as unknown as { unref(): void }).unref();
  return watchdog;
}

/** Calls `output` with each line, bounded. */
function readLines(stream: Readable, output: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('error', () => undefined);
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, OUTPUT_LINE_LENGTH);
    for (const line of lines) if (line.trim() !== '') output(line.slice(0, OUTPUT_LINE_LENGTH));
  });
  stream.on('end', () => rest.trim() !== '' && output(rest));
}

/** Resident memory of a process, bytes; undefined where the system does not tell it this way. */
function residentBytes(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return undefined;
  }
}

/** A plugin's process: started, watched, ended. */
export class PluginProcess {
  readonly rpc: Rpc;
  readonly pid: number;
  readonly #options: ProcessOptions;
  readonly #child: ChildProcess;
  readonly #watchdog: ChildProcess | undefined;
  readonly #exited = Promise.withResolvers<void>();
  readonly #timers = new Map<string, Disposable>();
  #silentMs = 0;
  #unresponsive = false;
  #over = false;
  #outOfHeap = false;

  /** Throws `ERR_PLUGIN_CRASHED` where no process can be started. */
  constructor(options: ProcessOptions) {
    this.#options = options;
    const { limits, clock } = options;
    const entry = processEntry();
    mkdirSync(options.workDirectory, { recursive: true, mode: 0o700 });
    const flags = [
      ...entry.nodeOptions,
      ...permissionFlags(options, entry.readable),
      `--max-old-space-size=${limits.heapMiB}`,
    ];
    const child = spawn(process.execPath, [...flags, entry.file], {
      cwd: options.workDirectory,
      env: Object.fromEntries(
        ENVIRONMENT.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
      ),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.on('error', (error) => this.#end(`could not be started: ${error.message}`));
    child.on('exit', (code, signal) => this.#onExit(code, signal));
    if (child.pid === undefined)
      throw new AwlError('ERR_PLUGIN_CRASHED', 'the plugin process could not be started');
    this.pid = child.pid;
    this.#watchdog = startWatchdog(child.pid);
    readLines(child.stdout!, options.output);
    readLines(child.stderr!, (line) => {
      this.#outOfHeap ||= line.includes('heap out of memory');
      options.output(line);
    });
    this.rpc = new Rpc(child.stdio[3] as Duplex, limits, clock, {
      ...options.handlers,
      violation: (reason) => this.#end(`sent ${reason}`),
      closed: () => this.#end('closed its pipe'),
    });
    this.#every('beat', limits.heartbeatIntervalMs, () => this.#beat());
    this.#every('memory', limits.rssIntervalMs, () => this.#checkMemory());
    this.#ping();
  }

  /** Ends it, without a word if it must be. */
  async stop(): Promise<void> {
    this.#finish(new AwlError('ERR_PLUGIN_CRASHED', 'the plugin was stopped'), false);
    await this.#exited.promise;
  }

  /** Ends it for a fault. */
  fail(reason: string, code: 'ERR_PLUGIN_CRASHED' | 'ERR_PLUGIN_UNRESPONSIVE' = 'ERR_PLUGIN_CRASHED'): void {
    this.#finish(new AwlError(code, reason), true);
  }

  #end(what: string): void {
    const reason = `the plugin process ${what}, so it was ended`;
    // The exit, if that is what closed the pipe, says more; it comes a moment later.
    if (what === 'closed its pipe') this.#after('pipe', EXIT_GRACE_MS, () => this.fail(reason));
    else this.fail(reason);
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    this.#exited.resolve();
    this.#watchdog?.kill('SIGKILL');
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    const why = this.#outOfHeap ? `: it used up its heap of ${this.#options.limits.heapMiB} MiB` : '';
    this.fail(`the plugin process ended by itself (${how})${why}`);
  }

  #finish(error: AwlError, tell: boolean): void {
    if (this.#over) return;
    this.#over = true;
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#child.kill('SIGKILL');
    this.rpc?.close(error);
    if (tell) this.#options.ended(error);
  }

  #after(name: string, delayMs: number, task: () => void): void {
    if (this.#over) return;
    this.#timers.set(name, this.#options.clock.schedule(delayMs, task));
  }

  #every(name: string, intervalMs: number, task: () => void): void {
    this.#after(name, intervalMs, () => {
      task();
      this.#every(name, intervalMs, task);
    });
  }

  /** Counts its own beats, not the time: while the node itself is busy, nobody is to blame. */
  #beat(): void {
    const { limits, responsive } = this.#options;
    this.#silentMs += limits.heartbeatIntervalMs;
    if (this.#silentMs > limits.killMs) {
      return this.fail(
        `the plugin process did not answer for ${this.#silentMs / 1000} s, so it was ended`,
        'ERR_PLUGIN_UNRESPONSIVE',
      );
    }
    if (this.#silentMs > limits.unresponsiveMs && !this.#unresponsive) {
      this.#unresponsive = true;
      responsive(false);
    }
  }

  /** One question at a time; the next when the last was answered. */
  #ping(): void {
    this.rpc.call('ping', {}).then(
      () => {
        this.#silentMs = 0;
        if (this.#unresponsive) this.#options.responsive(true);
        this.#unresponsive = false;
        this.#after('ping', this.#options.limits.heartbeatIntervalMs, () => this.#ping());
      },
      () => undefined, // it ended
    );
  }

  #checkMemory(): void {
    const limit = Math.min(this.#options.limits.rssBytes, totalmem());
    const bytes = residentBytes(this.pid) ?? 0;
    if (bytes <= limit) return;
    const mib = (value: number): number => Math.round(value / 1024 / 1024);
    this.fail(
      `the plugin process used ${mib(bytes)} MiB of memory (the limit is ${mib(limit)}), so it was ended`,
    );
  }
}
