import { delay, type HookName, type PluginContext, type PluginManifest, type PluginModule } from '@awl/api';
import { AwlError } from '@awl/wire';
import type { PluginLife, PluginLoader } from '../plugin.ts';
import type { PluginHostParts } from '../ports.ts';
import { PROCESS_LIMITS, type ProcessLimits } from './limits.ts';
import { PluginProcess } from './plugin-process.ts';
import { Proxies } from './proxies.ts';
import { PluginRequests } from './requests.ts';
import type { Notifications } from './schemas.ts';
import { Scopes } from './scopes.ts';

/** So many messages that are not understood end a process. */
const FAULTS = 20;
/** How long `deactivate` may take. */
const DEACTIVATION_MS = 1000;

export interface IsolatedOptions {
  readonly id: string;
  readonly manifest: PluginManifest;
  /** The module to load. */
  readonly entryFile: string;
  readonly readable: readonly string[];
  readonly workDirectory: string;
}

/** A plugin in a process of its own, as a module: activating it starts the process. */
class IsolatedPlugin implements PluginModule {
  readonly #options: IsolatedOptions;
  readonly #parts: PluginHostParts;
  readonly #limits: ProcessLimits;
  readonly #life: PluginLife;
  readonly #scopes: Scopes;
  #process: PluginProcess | undefined;
  #requests: PluginRequests | undefined;
  #registered = new Map<string, Disposable>();
  #ended: AwlError | undefined;
  #faults = 0;

  constructor(options: IsolatedOptions, parts: PluginHostParts, life: PluginLife) {
    this.#options = options;
    this.#parts = parts;
    this.#limits = { ...PROCESS_LIMITS, ...parts.limits };
    this.#life = life;
    this.#scopes = new Scopes(this.#limits.leases, options.manifest.capabilities);
  }

  async activate(context: PluginContext): Promise<void> {
    const { manifest, entryFile } = this.#options;
    const { clock } = this.#parts;
    // Scope 0: the plugin's own sockets, outside any attempt.
    this.#scopes.open(context.sockets);
    const requests = new PluginRequests({
      context,
      scopes: this.#scopes,
      clock,
      rpc: () => this.#running().rpc,
      registered: (names) => this.#sync(context, names),
    });
    this.#requests = requests;
    this.#process = new PluginProcess({
      ...this.#options,
      capabilities: manifest.capabilities,
      limits: this.#limits,
      clock,
      output: (line) => context.log.info(line),
      handlers: {
        request: (method, params, signal) => this.#judged(() => requests.request(method, params, signal)),
        notification: (method, params) => {
          this.#judged(async () => requests.notification(method, params)).catch((error: unknown) => {
            context.log.warn(error instanceof Error ? error.message : String(error));
          });
        },
      },
      ended: (error) => this.#onEnded(error),
      responsive: (answers) => this.#life.responsive(answers),
    });
    const { rpc } = this.#process;
    const changes = context.configuration.onDidChange((key, value) =>
      rpc.notify('setting', { key, value: value ?? null }),
    );
    context.signal.addEventListener('abort', () => changes[Symbol.dispose](), { once: true });

    const settings: { [key: string]: unknown } = {};
    const properties = (manifest.contributes.configuration?.['properties'] ?? {}) as object;
    for (const key of Object.keys(properties)) settings[key] = context.configuration.get(key) ?? null;
    const late = new AbortController();
    using _timer = clock.schedule(this.#limits.activationTimeoutMs, () => {
      this.#process?.fail(
        `activate took longer than ${this.#limits.activationTimeoutMs / 1000} s, so the plugin process was ended`,
        'ERR_PLUGIN_UNRESPONSIVE',
      );
      late.abort(this.#ended);
    });
    await rpc.call(
      'activate',
      { entryFile, manifest, settings, state: context.engine.state(), interfaces: context.host.interfaces() },
      late.signal,
    );
  }

  async deactivate(): Promise<void> {
    if (this.#process && !this.#ended) {
      const cancel = new AbortController();
      const late = delay(this.#parts.clock, DEACTIVATION_MS, cancel.signal).catch(() => undefined);
      await Promise.race([this.#process.rpc.call('deactivate', {}).catch(() => undefined), late]);
      cancel.abort();
    }
    await this.#process?.stop();
    this.#release();
  }

  #running(): PluginProcess {
    if (!this.#process) throw new AwlError('ERR_PLUGIN_CRASHED', 'the plugin process has not started');
    return this.#process;
  }

  #onEnded(error: AwlError): void {
    this.#ended = error;
    this.#release();
    this.#life.ended(error);
  }

  #release(): void {
    this.#requests?.[Symbol.dispose]();
    this.#scopes.closeAll();
  }

  /** A process that sends what is not understood, again and again, is ended. */
  async #judged<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      if (error instanceof AwlError && error.code === 'ERR_WIRE_SCHEMA' && ++this.#faults === FAULTS) {
        this.#process?.fail(
          `the plugin process sent ${FAULTS} messages that are not understood, so it was ended; the last: ${error.message}`,
        );
      }
      throw error;
    }
  }

  /** Registers what the process has registered, and takes back what it has taken back. */
  #sync(context: PluginContext, names: Notifications['registered']): void {
    const proxies = new Proxies(this.#running().rpc, this.#scopes, this.#parts.clock);
    const wanted = new Map<string, () => Disposable>();
    for (const id of names.strategies)
      wanted.set(`strategy ${id}`, () => context.strategies.register(proxies.strategy(id)));
    for (const id of names.portMappers)
      wanted.set(`mapper ${id}`, () => context.portMappers.register(proxies.portMapper(id)));
    for (const id of names.natProbes)
      wanted.set(`probe ${id}`, () => context.natProbes.register(proxies.natProbe(id)));
    for (const id of names.commands)
      wanted.set(`command ${id}`, () => context.commands.register(proxies.command(id)));
    for (const name of names.hooks) {
      wanted.set(`hook ${name}`, () => context.hooks.on(name as HookName, proxies.tap(name as HookName)));
    }
    for (const [key, registration] of this.#registered) {
      if (wanted.has(key)) continue;
      registration[Symbol.dispose]();
      this.#registered.delete(key);
    }
    for (const [key, register] of wanted) {
      if (!this.#registered.has(key)) this.#registered.set(key, register());
    }
  }
}

/** Loads a third-party plugin: its code runs in a child process only. */
export function isolatedLoader(options: IsolatedOptions, parts: PluginHostParts): PluginLoader {
  return async (life) => new IsolatedPlugin(options, parts, life);
}
