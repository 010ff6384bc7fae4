import type {
  HookName,
  HookTap,
  JsonValue,
  NatProbe,
  PluginContext,
  PluginManifest,
  PortMapper,
  PunchStrategy,
  Registry,
  Transport,
} from '@awl/api';
import { AwlError } from '@awl/wire';
import { strategyId } from './manifest/ids.ts';

/** A command as its plugin registers it. */
export interface Command {
  readonly id: string;
  run(argument?: JsonValue): Promise<JsonValue> | JsonValue;
}

/** What the code of an active plugin has registered; the engine holds proxies that look here. */
export class Registrations {
  readonly strategies = new Map<string, PunchStrategy>();
  readonly portMappers = new Map<string, PortMapper>();
  readonly natProbes = new Map<string, NatProbe>();
  readonly transports = new Map<string, Transport>();
  readonly commands = new Map<string, Command>();
  readonly taps = new Map<HookName, HookTap<HookName>[]>();

  clear(): void {
    for (const map of [
      this.strategies,
      this.portMappers,
      this.natProbes,
      this.transports,
      this.commands,
      this.taps,
    ]) {
      map.clear();
    }
  }
}

function registry<T extends { readonly id: string }>(
  kind: string,
  contributed: readonly string[],
  into: Map<string, T>,
): Registry<T> {
  return {
    register(contribution) {
      const { id } = contribution;
      if (!contributed.includes(id)) {
        const has = contributed.length > 0 ? `it names ${contributed.join(', ')}` : 'it names none';
        throw new AwlError(
          'ERR_PLUGIN_NOT_CONTRIBUTED',
          `${id} is not in contributes.${kind} of the manifest; ${has}`,
        );
      }
      if (into.has(id))
        throw new AwlError('ERR_PLUGIN_CONFLICT', `${id} is registered twice by the same plugin`);
      into.set(id, contribution);
      return {
        [Symbol.dispose]: () => {
          if (into.get(id) === contribution) into.delete(id);
        },
      };
    },
  };
}

/** The registering part of a plugin's context: everything is checked against the manifest. */
export function registriesFor(
  { contributes }: PluginManifest,
  into: Registrations,
): Pick<PluginContext, 'strategies' | 'portMappers' | 'natProbes' | 'transports' | 'commands' | 'hooks'> {
  const ids = (list: readonly { readonly id: string }[] | undefined): string[] =>
    (list ?? []).map(({ id }) => id);
  const hookNames = (contributes.hooks ?? []).map(({ name }) => name);
  return {
    strategies: registry('strategies', (contributes.strategies ?? []).map(strategyId), into.strategies),
    portMappers: registry('portMappers', ids(contributes.portMappers), into.portMappers),
    natProbes: registry('natProbes', ids(contributes.natProbes), into.natProbes),
    transports: registry('transports', ids(contributes.transports), into.transports),
    commands: registry('commands', ids(contributes.commands), into.commands),
    hooks: {
      on(name, tap) {
        if (!hookNames.includes(name)) {
          throw new AwlError(
            'ERR_PLUGIN_NOT_CONTRIBUTED',
            `${name} is not in contributes.hooks of the manifest`,
          );
        }
        const entry = tap as unknown as HookTap<HookName>;
        const taps = into.taps.get(name) ?? [];
        into.taps.set(name, [...taps, entry]);
        return {
          [Symbol.dispose]: () => {
            into.taps.set(
              name,
              (into.taps.get(name) ?? []).filter((other) => other !== entry),
            );
          },
        };
      },
    },
  };
}
