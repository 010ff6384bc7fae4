import type {
  JsonValue,
  Logger,
  PluginContext,
  PluginModule,
  PunchStrategy,
  Registry,
  Transport,
} from '@awl/api';

/** What a simulation runs with. */
export interface Contributions {
  readonly strategies: readonly PunchStrategy[];
  readonly transports: readonly Transport[];
}

const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * The strategies and transports that plugins register, without a plugin host. What else they contribute is left out.
 * @param settings values for `context.configuration`
 */
export async function contributionsOf(
  modules: readonly PluginModule[],
  settings: { readonly [key: string]: JsonValue } = {},
): Promise<Contributions> {
  const strategies: PunchStrategy[] = [];
  const transports: Transport[] = [];
  const into = <T>(list: T[]): Registry<T> => ({
    register: (contribution) => {
      list.push(contribution);
      return { [Symbol.dispose]: () => void list.splice(list.indexOf(contribution), 1) };
    },
  });
  const ignored = { register: () => ({ [Symbol.dispose]: () => {} }) };
  const context: Partial<PluginContext> = {
    strategies: into(strategies),
    transports: into(transports),
    portMappers: ignored,
    natProbes: ignored,
    commands: ignored,
    hooks: { on: () => ({ [Symbol.dispose]: () => {} }) },
    views: { set: () => {} },
    statusItems: { set: () => {} },
    configuration: { get: (key) => settings[key], onDidChange: () => ({ [Symbol.dispose]: () => {} }) },
    log: SILENT,
    signal: new AbortController().signal,
  };
  for (const module of modules) await module.activate(context as PluginContext);
  return { strategies, transports };
}
