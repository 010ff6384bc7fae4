import { EventEmitter } from 'node:events';
import {
  UNKNOWN_BEHAVIOUR,
  type Clock,
  type EngineState,
  type HookName,
  type HookTap,
  type JsonValue,
  type NatProbe,
  type Pair,
  type PortMapper,
  type PunchStrategy,
  type Random,
  type Transport,
} from '@awl/api';
import { StateStore, type EngineRegistry, type Owner } from '@awl/engine';
import { AwlError } from '@awl/wire';
import { PluginHost, type PluginHostParts, type ProcessLimits } from '../../src/index.ts';

/** A clock that stands until it is moved. */
export class ManualClock implements Clock {
  #now = 0;
  #timers = new Set<{ at: number; task: () => void }>();
  now(): number {
    return this.#now;
  }
  schedule(delayMs: number, task: () => void): Disposable {
    const timer = { at: this.#now + delayMs, task };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
    }
    this.#now = end;
  }
}

/** The machine's clock. */
export const realClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

export const random: Random = {
  next: () => Math.random(),
  integer: (below) => Math.floor(Math.random() * below),
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

/** A registry that keeps what it is given, and can be used as the engine would. */
export class FakeRegistry implements EngineRegistry {
  readonly strategies = new Map<string, PunchStrategy>();
  readonly transports = new Map<string, Transport>();
  readonly mappers = new Map<string, PortMapper>();
  readonly probes = new Map<string, NatProbe>();
  readonly taps = new Map<HookName, HookTap<HookName>[]>();
  sessions: string[] = [];
  released: boolean[] = [];
  sockets: Partial<ReturnType<EngineRegistry['socketsFor']>> = {};
  host: Partial<ReturnType<EngineRegistry['hostFor']>> = { interfaces: () => [] };

  #add<T extends { readonly id: string }>(map: Map<string, T>, value: T): Disposable {
    if (map.has(value.id)) throw new AwlError('ERR_PLUGIN_CONFLICT', value.id);
    map.set(value.id, value);
    return { [Symbol.dispose]: () => void map.delete(value.id) };
  }
  addStrategy(strategy: PunchStrategy): Disposable {
    return this.#add(this.strategies, strategy);
  }
  addTransport(transport: Transport): Disposable {
    return this.#add(this.transports, transport);
  }
  addPortMapper(mapper: PortMapper): Disposable {
    return this.#add(this.mappers, mapper);
  }
  addNatProbe(probe: NatProbe): Disposable {
    return this.#add(this.probes, probe);
  }
  tap<Name extends HookName>(name: Name, tap: HookTap<Name>): Disposable {
    const entry = tap as unknown as HookTap<HookName>;
    this.taps.set(name, [...(this.taps.get(name) ?? []), entry]);
    return {
      [Symbol.dispose]: () =>
        void this.taps.set(
          name,
          (this.taps.get(name) ?? []).filter((other) => other !== entry),
        ),
    };
  }
  socketsFor(): ReturnType<EngineRegistry['socketsFor']> {
    return this.sockets as ReturnType<EngineRegistry['socketsFor']>;
  }
  hostFor(): ReturnType<EngineRegistry['hostFor']> {
    return this.host as ReturnType<EngineRegistry['hostFor']>;
  }
  sessionsUsing(): readonly string[] {
    return this.sessions;
  }
  releaseTransports(_owner: Owner, force: boolean): Promise<void> {
    this.released.push(force);
    if (force) this.sessions = [];
    return Promise.resolve();
  }
  /** Calls the taps of a hook as an event. */
  async call(name: HookName, value: unknown): Promise<unknown[]> {
    return Promise.all(
      (this.taps.get(name) ?? []).map(async (tap) => tap(value as Parameters<typeof tap>[0])),
    );
  }
}

const behaviour = { udp: UNKNOWN_BEHAVIOUR, tcp: UNKNOWN_BEHAVIOUR };
export const pair: Pair = {
  local: behaviour,
  remote: behaviour,
  localCandidates: [],
  remoteCandidates: [],
  sameLan: false,
  exhaustive: false,
};

export const emptyState: EngineState = {
  node: { name: 'test', peerId: 'p', version: '0', startedAt: 0, simulated: true },
  rendezvous: { url: '', status: 'none' },
  nat: { status: 'unknown', behaviour, evidence: [], publicAddresses: [], mappings: [] },
  peers: {},
  attempts: {},
  shares: {},
  forwards: {},
  plugins: {},
  views: {},
  statusItems: {},
  commands: {},
  log: [],
};

/** Storage and settings in memory; give the same to a second host to restart it. */
export class Memory {
  readonly documents = new Map<string, string>();
  readonly settings = new Map<string, JsonValue>();
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly storage: PluginHostParts['storage'] = {
    load: async (name) => {
      const text = this.documents.get(name);
      return text === undefined ? undefined : (JSON.parse(text) as JsonValue);
    },
    save: async (name, value) => {
      if (value === undefined) this.documents.delete(name);
      else this.documents.set(name, JSON.stringify(value));
    },
  };
  readonly port: PluginHostParts['settings'] = {
    get: (key) => this.settings.get(key),
    onDidChange: (listener) => {
      this.#changes.on('change', listener);
      return { [Symbol.dispose]: () => void this.#changes.off('change', listener) };
    },
  };
  set(key: string, value: JsonValue): void {
    this.settings.set(key, value);
    this.#changes.emit('change', key, value);
  }
}

export interface TestHost {
  readonly host: PluginHost;
  readonly registry: FakeRegistry;
  readonly store: StateStore;
  readonly memory: Memory;
  readonly lines: string[];
}

export function makeHost(options: {
  readonly clock: Clock;
  readonly memory?: Memory;
  readonly directory?: string;
  readonly limits?: Partial<ProcessLimits>;
}): TestHost {
  const memory = options.memory ?? new Memory();
  const registry = new FakeRegistry();
  const store = new StateStore(options.clock, emptyState);
  const lines: string[] = [];
  const host = new PluginHost({
    registry,
    store,
    clock: options.clock,
    random,
    storage: memory.storage,
    settings: memory.port,
    log: (level, source, text) => lines.push(`${level} ${source}: ${text}`),
    ...(options.directory === undefined ? {} : { directory: options.directory }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  return { host, registry, store, memory, lines };
}

/** A package.json with what a test needs changed. */
export function manifest(changes: { readonly [key: string]: unknown } = {}): {
  readonly [key: string]: unknown;
} {
  return {
    name: 'awl-plugin-test',
    version: '1.0.0',
    type: 'module',
    engines: { awl: '^0.1.0' },
    capabilities: ['udp'],
    contributes: {},
    ...changes,
  };
}
