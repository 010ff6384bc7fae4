import type {
  Capability,
  JsonValue,
  PluginManifest,
  PluginModule,
  PluginState,
  PluginStatus,
} from '@awl/api';
import { delay } from '@awl/api';
import type { Owner } from '@awl/engine';
import { AwlError, toAwlError } from '@awl/wire';
import { PluginConfiguration } from './configuration.ts';
import { createContext } from './context.ts';
import { activationEvents, contribute, denyingTaps, type Activatable } from './contributions.ts';
import { CrashCount } from './crashes.ts';
import { PluginLog } from './log.ts';
import type { Manifest } from './manifest/manifest.ts';
import type { SettingsSchema } from './manifest/settings.ts';
import type { PluginHostParts } from './ports.ts';
import { DENIES_NETWORK } from './process/entry.ts';
import { Registrations } from './registrations.ts';
import { PluginStorage } from './storage.ts';
import { oneLine } from './text.ts';
import { PluginViews } from './views.ts';

/** A plugin that does not finish `deactivate` in this time is left behind (or, in its own process, ended). */
const DEACTIVATION_MS = 2000;

/** What running code tells of itself. */
export interface PluginLife {
  /** It ended by itself, or was ended for a fault. */
  ended(error: AwlError): void;
  /** Whether it answers. */
  responsive(answers: boolean): void;
}

/** Loads a plugin's code; for a third-party plugin this starts its process. */
export type PluginLoader = (life: PluginLife) => Promise<PluginModule>;

interface Activation {
  readonly abort: AbortController;
  readonly done: Promise<void>;
  module?: PluginModule;
}

/** What `awl plugin explain` shows beside the state. */
export interface PluginExplanation {
  readonly state: PluginState;
  readonly activationEvents: readonly string[];
  readonly log: readonly string[];
}

/** One plugin: from announced to active and back. */
export class Plugin implements Activatable {
  readonly id: string;
  readonly manifest: PluginManifest;
  readonly settings: SettingsSchema;
  readonly builtIn: boolean;
  readonly owner: Owner;
  readonly registrations = new Registrations();
  readonly #parts: PluginHostParts;
  readonly #load: PluginLoader;
  readonly #quarantined: (plugin: Plugin) => void;
  readonly #log: PluginLog;
  readonly #storage: PluginStorage;
  readonly #crashes = new CrashCount();
  #status: PluginStatus = 'disabled';
  #failure: AwlError | undefined;
  #failures = 0;
  #activationMs: number | undefined;
  /** What the engine holds of it while it is enabled. */
  #announced: DisposableStack | undefined;
  #views: PluginViews | undefined;
  #configuration: PluginConfiguration | undefined;
  #activation: Activation | undefined;

  constructor(
    { id, manifest, settings }: Manifest,
    builtIn: boolean,
    load: PluginLoader,
    parts: PluginHostParts,
    quarantined: (plugin: Plugin) => void,
  ) {
    this.id = id;
    this.manifest = manifest;
    this.settings = settings;
    this.builtIn = builtIn;
    this.owner = { plugin: id, capabilities: manifest.capabilities };
    this.#load = load;
    this.#parts = parts;
    this.#quarantined = quarantined;
    this.#log = new PluginLog(parts.clock, (level, text) => parts.log(level, id, text));
    this.#storage = new PluginStorage(parts.storage, id);
    this.publish();
  }

  get status(): PluginStatus {
    return this.#status;
  }

  get enabled(): boolean {
    return this.#announced !== undefined;
  }

  get failure(): AwlError | undefined {
    return this.#failure;
  }

  /** Announces what it contributes; no code is loaded. */
  enable(): void {
    if (this.#announced) return;
    using stack = new DisposableStack();
    const configuration = stack.use(
      new PluginConfiguration(
        this.settings,
        this.#parts.settings,
        () => this.publish(),
        (error) => this.fault('configuration', error),
      ),
    );
    stack.use(contribute(this, this.#parts.registry));
    const views = new PluginViews(this.id, this.manifest.contributes, this.#parts.clock, (change) =>
      this.#parts.store.apply(change),
    );
    stack.use(views);
    this.#configuration = configuration;
    this.#views = views;
    this.#announced = stack.move();
    this.#crashes.clear();
    this.#failure = undefined;
    this.#set('inactive');
  }

  /** Takes everything back. */
  async disable(): Promise<void> {
    await this.#deactivate();
    this.#withdraw();
    this.#failure = undefined;
    this.#set('disabled');
  }

  /** Keeps it from running, and says why, until it is enabled again. Its authorizing hooks deny. */
  quarantine(error: AwlError): void {
    this.#withdraw();
    this.#announced = denyingTaps(
      this,
      this.#parts.registry,
      `plugin ${this.id} is quarantined: ${error.message}`,
    );
    this.#failure = error;
    this.#set('quarantined');
  }

  /** Why it cannot be enabled, for its row. */
  refuse(error: AwlError): void {
    this.#failure = error;
    this.#set('failed');
  }

  activate(): Promise<void> {
    if (this.#status === 'quarantined') {
      return Promise.reject(new AwlError('ERR_PLUGIN_QUARANTINED', `plugin ${this.id} is quarantined`));
    }
    if (!this.#announced)
      return Promise.reject(new AwlError('ERR_PLUGIN_UNKNOWN', `plugin ${this.id} is disabled`));
    if (!this.#activation) {
      const abort = new AbortController();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      promise.catch(() => undefined);
      this.#activation = { abort, done: promise };
      this.#run(this.#activation).then(resolve, reject);
    }
    return this.#activation.done;
  }

  fault(where: string, error: unknown): void {
    this.#failures += 1;
    this.#log.error(`${where}: ${error instanceof Error ? error.message : String(error)}`);
    this.publish();
  }

  async runCommand(id: string, argument: JsonValue | undefined): Promise<JsonValue> {
    await this.activate();
    const command = this.registrations.commands.get(id);
    if (!command) {
      throw new AwlError(
        'ERR_PLUGIN_NOT_CONTRIBUTED',
        `plugin ${this.id} contributes the command ${id}, but did not register it`,
      );
    }
    return (await command.run(argument)) ?? null;
  }

  explain(): PluginExplanation {
    return { state: this.state(), activationEvents: activationEvents(this.manifest), log: this.#log.lines };
  }

  state(): PluginState {
    const { manifest } = this;
    const schema = this.settings.schema;
    return {
      id: this.id,
      displayName: oneLine(manifest.displayName ?? this.id, 60),
      description: oneLine(manifest.description ?? '', 300),
      version: manifest.version,
      builtIn: this.builtIn,
      status: this.#status,
      capabilities: this.builtIn ? manifest.capabilities : effectiveCapabilities(manifest),
      ...(this.#activationMs === undefined ? {} : { activationMs: this.#activationMs }),
      failures: this.#failures,
      ...(this.#failure ? { code: this.#failure.code, reason: oneLine(this.#failure.message, 300) } : {}),
      contributes: contributionNames(manifest),
      settings: {
        ...(schema ? { schema } : {}),
        values: this.#configuration?.values() ?? this.settings.defaults,
      },
    };
  }

  publish(): void {
    this.#parts.store.apply({ collection: 'plugins', id: this.id, value: this.state() });
  }

  /** Removes its row: it is uninstalled. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.disable();
    this.#parts.store.apply({ collection: 'plugins', id: this.id, value: null });
  }

  async #run(activation: Activation): Promise<void> {
    const { clock } = this.#parts;
    const startMs = clock.now();
    this.#set('activating');
    const current = (): boolean => this.#activation === activation && !activation.abort.signal.aborted;
    try {
      const module = await this.#load({
        ended: (error) => {
          if (current()) this.#crashed(error);
        },
        responsive: (answers) => {
          if (current() && this.#status !== 'activating') this.#set(answers ? 'active' : 'unresponsive');
        },
      });
      activation.module = module;
      activation.abort.signal.throwIfAborted();
      await module.activate(
        createContext(
          {
            manifest: this.manifest,
            owner: this.owner,
            registrations: this.registrations,
            views: this.#views!,
            configuration: this.#configuration!,
            storage: this.#storage,
            log: this.#log,
            signal: activation.abort.signal,
          },
          this.#parts,
        ),
      );
      activation.abort.signal.throwIfAborted();
      this.#activationMs = Math.round(clock.now() - startMs);
      this.#failure = undefined;
      this.#set('active');
    } catch (error) {
      if (current()) this.#crashed(toAwlError(error));
      throw error;
    }
  }

  #crashed(error: AwlError): void {
    this.#failures += 1;
    this.#log.error(error.message);
    const activation = this.#activation;
    this.#activation = undefined;
    activation?.abort.abort(error);
    Promise.resolve(activation?.module?.deactivate?.()).catch(() => undefined);
    this.registrations.clear();
    this.#configuration?.clearListeners();
    this.#views?.reset();
    this.#failure = error;
    if (!this.#crashes.add(this.#parts.clock.now())) return this.#set('failed');
    this.quarantine(
      new AwlError('ERR_PLUGIN_QUARANTINED', `three failures in five minutes, the last: ${error.message}`),
    );
    this.#quarantined(this);
  }

  async #deactivate(): Promise<void> {
    const activation = this.#activation;
    if (!activation) return;
    this.#activation = undefined;
    activation.abort.abort(new AwlError('ERR_PLUGIN_UNKNOWN', `plugin ${this.id} was disabled`));
    try {
      const cancel = new AbortController();
      const late = delay(this.#parts.clock, DEACTIVATION_MS, cancel.signal).catch(() => undefined);
      await Promise.race([activation.module?.deactivate?.(), late]);
      cancel.abort();
    } catch (error) {
      this.fault('deactivate', error);
    }
    this.registrations.clear();
    this.#configuration?.clearListeners();
    this.#views?.reset();
  }

  #withdraw(): void {
    this.#announced?.dispose();
    this.#announced = undefined;
    this.#views = undefined;
    this.#configuration = undefined;
  }

  #set(status: PluginStatus): void {
    this.#status = status;
    this.publish();
  }
}

/** What an isolated plugin can touch: what it asks for, and the network where Node does not deny that. */
export function effectiveCapabilities({ capabilities }: PluginManifest): readonly Capability[] {
  return DENIES_NETWORK || capabilities.includes('network') ? capabilities : [...capabilities, 'network'];
}

function contributionNames({ contributes }: PluginManifest): readonly string[] {
  const names = (kind: string, list: readonly { readonly id: string }[] | undefined): string[] =>
    (list ?? []).map(({ id }) => `${kind} ${id}`);
  return [
    ...(contributes.strategies ?? []).map(({ id, version }) => `strategy ${id}@${version}`),
    ...names('port mapper', contributes.portMappers),
    ...names('NAT probe', contributes.natProbes),
    ...names('transport', contributes.transports),
    ...(contributes.hooks ?? []).map(({ name }) => `hook ${name}`),
    ...names('command', contributes.commands),
    ...names('view', contributes.views),
    ...names('status item', contributes.statusItems),
  ];
}
