import { hostname } from 'node:os';
import {
  Authorization,
  createEngine,
  generatePassword,
  lanHost,
  nodeNetwork,
  realClock,
  realRandom,
  type Engine,
  type Identity,
  type Network,
} from '@awl/engine';
import type { PluginHost } from '@awl/plugin-host';
import { AwlError, toAwlError } from '@awl/wire';
import type { NodeClient } from './client.ts';
import { commandsOf } from './commands.ts';
import { HomeConfig } from './config/home-config.ts';
import { loadConfig, mergeConfig } from './config/load.ts';
import type { NodeConfig } from './config/schema.ts';
import { takeControl } from './control/server.ts';
import { EventHub } from './event-hub.ts';
import { homeDirectory, openHome, type Home } from './home.ts';
import { loadIdentity } from './key-file.ts';
import { localClient } from './local-client.ts';
import { openLog } from './log.ts';
import { createPlugins, untilActivated } from './plugins.ts';
import { RendezvousMaker, useConfigured } from './rendezvous-link.ts';
import { KnownRendezvous } from './known-rendezvous.ts';
import { OwnPassword } from './own-password.ts';
import { authorizationFile } from './storage/authorization-file.ts';
import { applyPlugins, NodeSettings } from './settings.ts';
import { diskFiles, type Files } from './storage/files.ts';
import { StoredServices } from './stored-services.ts';

/** How a node is started. */
export interface NodeOptions {
  readonly version: string;
  /** Default: AWL_HOME. */
  readonly home?: string;
  /** A file named with --config. */
  readonly configFile?: string;
  /** Where to look for a configuration of data besides AWL_HOME. */
  readonly workingDirectory?: string;
  /** Wins over every file and is not stored. */
  readonly overrides?: NodeConfig;
  /** No rendezvous, no stored shares and forwards: for commands that only change what the node keeps. */
  readonly offline?: boolean;
  readonly files?: Files;
  readonly network?: Network;
}

/** A running node. */
export interface NodeHandle extends AsyncDisposable {
  readonly home: Home;
  readonly engine: Engine;
  readonly plugins: PluginHost;
  readonly client: NodeClient;
  /** Resolves once registered at the rendezvous, or at once where there is none; rejects when that is refused for good. */
  readonly registered: Promise<void>;
  /** Somebody asked the node to stop. */
  readonly stopRequested: Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the node of an AWL_HOME: its lock first, then key, configuration, engine, plugins; then it serves; the rendezvous and stored
 * services come beside. Rejects with `ERR_NODE_RUNNING`, `ERR_KEY_FILE`, `ERR_STORAGE`, `ERR_CONFIG_…`.
 */
export async function startNode(options: NodeOptions): Promise<NodeHandle> {
  await using scope = new AsyncDisposableStack();
  const files = options.files ?? diskFiles;
  const home = await openHome(options.home ?? homeDirectory());
  const control = scope.use(await takeControl(home.directory, files));
  const identity = await loadIdentity(home.keyFile, files);
  const homeConfig = new HomeConfig(home, files);
  const config = await configOf(options, home, homeConfig, identity);

  const authorization = await Authorization.open({
    store: authorizationFile(home.peersFile, files),
    clock: realClock,
    wallClock: Date.now,
  });
  const password = new OwnPassword(authorization, identity.peerId, config.password);
  const rendezvous = await RendezvousMaker.open({
    identity,
    known: new KnownRendezvous(home.rendezvousFile, files),
    log: () => log,
  });
  const engine = scope.use(
    createEngine({
      network: options.network ?? nodeNetwork,
      clock: realClock,
      random: realRandom,
      wallClock: Date.now,
      identity,
      authorization,
      password: () => password.current,
      name: config.name,
      version: options.version,
      openRendezvous: (url) => rendezvous.make(url),
      hostFor: lanHost,
    }),
  );
  const log = scope.use(openLog(home.logFile, config.log?.level ?? 'info', engine.state));
  const settings = new NodeSettings(config, homeConfig);
  const plugins = scope.use(createPlugins({ home, files, engine, settings, log }));
  const services = scope.use(
    new StoredServices({ engine, homeConfig, report: (text) => log.write('error', 'node', text) }),
  );
  const events = scope.use(new EventHub(engine));
  const stopRequested = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  scope.defer(() => closed.resolve());

  settings.connect(engine, plugins, {
    rendezvous: (next) => useConfigured(engine, rendezvous, next),
    name: async (next) => {
      const { node } = engine.state.state;
      engine.state.apply({ section: 'node', value: { ...node, name: next.name ?? defaultName(identity) } });
      await useConfigured(engine, rendezvous, next);
    },
    password: (next) => password.use(next.password ?? password.current),
    logLevel: (next) => log.setLevel(next.log?.level ?? 'info'),
  });
  await plugins.start();
  await untilActivated(engine);
  await applyPlugins(config, plugins).catch((error: unknown) =>
    log.write('error', 'node', toAwlError(error).message),
  );
  const run = commandsOf({
    engine,
    plugins,
    settings,
    services,
    forgetPeer: async (peer) => {
      const forgotten = await authorization.forget(peer);
      if (forgotten.length === 0)
        throw new AwlError('ERR_PEER_UNKNOWN', `Nobody called ${peer} is remembered.`);
    },
    stop: () => stopRequested.resolve(),
  });
  const client = {
    state: engine.state,
    run,
    closed: closed.promise,
    onEvent: (listener: Parameters<EventHub['on']>[0]) => events.on(listener),
  };
  control.serve({
    ...client,
    homeDirectory: home.directory,
    files,
    version: options.version,
    peerId: identity.peerId,
    warn: (text) => log.write('warn', 'control', text),
  });
  const lifetime = new AbortController();
  scope.defer(() => lifetime.abort());
  let registered: Promise<void> = Promise.resolve();
  if (!options.offline) {
    const complain = (error: unknown): void => {
      if (!lifetime.signal.aborted) log.write('error', 'node', toAwlError(error).message);
    };
    password.use(config.password, lifetime.signal).catch(complain);
    registered = useConfigured(engine, rendezvous, config, lifetime.signal);
    registered.catch(complain);
    services.restore(config).catch(complain);
  }

  const resources = scope.move();
  const close = (): Promise<void> => resources.disposeAsync();
  return {
    home,
    engine,
    plugins,
    client: localClient(client),
    registered,
    stopRequested: stopRequested.promise,
    close,
    [Symbol.asyncDispose]: close,
  };
}

type StartConfig = NodeConfig & { readonly name: string; readonly password: string };

async function configOf(
  options: NodeOptions,
  home: Home,
  homeConfig: HomeConfig,
  identity: Identity,
): Promise<StartConfig> {
  const { configFile, workingDirectory, overrides = {} } = options;
  const loaded = await loadConfig({
    home,
    ...(configFile === undefined ? {} : { configFile }),
    ...(workingDirectory === undefined ? {} : { workingDirectory }),
  });
  const config = mergeConfig(loaded, overrides);
  const { name = defaultName(identity), password = generatePassword(realRandom) } = config;
  if (config.password === undefined) await homeConfig.set('password', password);
  return { ...config, name, password };
}

/** The machine's name, as far as a peer's name may look like it, and a piece of the key's id: several nodes of one machine differ. */
function defaultName({ peerId }: Identity): string {
  const machine = hostname()
    .split('.')[0]
    ?.replaceAll(/[^A-Za-z0-9_-]/g, '-')
    .slice(0, 58);
  return `${machine || 'node'}-${peerId.slice(0, 4)}`;
}
