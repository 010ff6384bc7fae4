import type { CommandName, Commands, JsonValue } from '@awl/api';
import type { ConnectOptions, Engine, ForwardRequest, ShareRequest } from '@awl/engine';
import type { PluginHost } from '@awl/plugin-host';
import { AwlError } from '@awl/wire';
import type { NodeSettings } from './settings.ts';
import type { StoredServices } from './stored-services.ts';
import type { RunCommand } from './local-client.ts';

/** What the commands of a node work on. */
export interface CommandParts {
  readonly engine: Engine;
  readonly plugins: PluginHost;
  readonly settings: NodeSettings;
  readonly services: StoredServices;
  /** Forgets what let a peer in. */
  forgetPeer(peer: string): Promise<void>;
  stop(): void;
}

type Handlers = {
  readonly [Name in CommandName]: (
    params: Commands[Name]['params'],
    signal: AbortSignal,
  ) => Promise<Commands[Name]['result']>;
};

/** Every command of a node. */
export function commandsOf(parts: CommandParts): RunCommand {
  const { engine, plugins, settings, services } = parts;
  const handlers: Handlers = {
    'peer.connect': async ({ peer, ticket, ...how }, signal) => ({
      peer: await engine.connect(defined({ peer, ticket }), { ...connectOptions(how, settings), signal }),
    }),
    'peer.disconnect': ({ peer }) => engine.disconnect(peer).then(nothing),
    'peer.forget': ({ peer }) => parts.forgetPeer(peer).then(nothing),
    'peer.ping': ({ peer }) => engine.ping(peer),
    'attempt.cancel': async ({ attempt }) => {
      engine.cancelAttempt(attempt);
      return null;
    },
    'share.add': ({ store, ...request }) => services.share(defined<ShareRequest>(request), store ?? false),
    'share.remove': ({ share }) => services.unshare(share).then(nothing),
    'forward.add': ({ store, ...request }, signal) =>
      services.forward(
        { ...defined<ForwardRequest>(request), ...connectOptions(request, settings), signal },
        store ?? false,
      ),
    'forward.remove': ({ forward }) => services.unforward(forward).then(nothing),
    'nat.measure': ({ full }, signal) => engine.measure({ full: full ?? false, signal }),
    'plugin.enable': ({ plugin }) => plugins.enable(plugin).then(nothing),
    'plugin.disable': ({ plugin, force }) => plugins.disable(plugin, { force: force ?? false }).then(nothing),
    'plugin.install': ({ from, confirmed }) => plugins.install(from, { confirmed }),
    'plugin.uninstall': ({ plugin }) => plugins.uninstall(plugin).then(nothing),
    'plugin.reload': ({ plugin }) => plugins.reload(plugin).then(nothing),
    'command.run': ({ command, argument }) => plugins.runCommand(command, argument),
    'config.get': async ({ key }) => settings.get(key),
    'config.set': ({ key, value }) => settings.set(key, value).then(nothing),
    'rendezvous.set': ({ url }) => settings.set('rendezvous.url', url).then(nothing),
    'node.stop': async () => {
      parts.stop();
      return null;
    },
  };
  return async (name, params, signal) => {
    signal.throwIfAborted();
    const run = handlers[name] as Handlers[typeof name] | undefined;
    if (!run) throw new AwlError('ERR_USAGE', `There is no command ${name}.`);
    return run(params, signal);
  };
}

/** How to connect: as asked, else as the configuration says. */
function connectOptions(how: Commands['peer.connect']['params'], { config }: NodeSettings): ConnectOptions {
  const { password, strategies, transport = config.transport } = how;
  return defined<ConnectOptions>({ password, strategies, transport });
}

/** Without the keys whose value is undefined: an absent option is absent. */
function defined<T extends object>(value: { readonly [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;
}

function nothing(_result: JsonValue | void): null {
  return null;
}
