import type { Engine } from '@awl/engine';
import type { PluginHost } from '@awl/plugin-host';
import { AwlError, toAwlError } from '@awl/wire';
import type { NodeClient } from './client.ts';
import { commandsOf } from './commands.ts';
import { HomeConfig } from './config/home-config.ts';
import { takeControl } from './control/server.ts';
import { EventHub } from './event-hub.ts';
import { homeDirectory, openHome, type Home } from './home.ts';
import { loadIdentity } from './key-file.ts';
import { localClient, type ClientParts } from './local-client.ts';
import { openLog } from './log.ts';
import { makeEngine } from './node-engine.ts';
import type { NodeOptions } from './node-options.ts';
import { createPlugins, untilActivated } from './plugins.ts';
import { changeConfigured, useConfigured } from './rendezvous-link.ts';
import { applyPlugins, NodeSettings } from './settings.ts';
import { defaultName, startConfig } from './start-config.ts';
import { diskFiles } from './storage/files.ts';
import { StoredServices } from './stored-services.ts';

const STOP_DELAY_MS = 50;

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
  const config = await startConfig(options, home, homeConfig, identity);

  const { engine, authorization, password, rendezvous } = await makeEngine({
    options,
    home,
    identity,
    config,
    files,
    complain: (text) => log.write('error', 'node', text),
  });
  scope.use(engine);
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
    rendezvous: (next) => changeConfigured(engine, rendezvous, next),
    name: async (next) => {
      const { node } = engine.state.state;
      engine.state.apply({ section: 'node', value: { ...node, name: next.name ?? defaultName(identity) } });
      await changeConfigured(engine, rendezvous, next);
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
    // A moment later, so that whoever asked gets an answer.
    stop: () => void engine.clock.schedule(STOP_DELAY_MS, () => stopRequested.resolve()),
  });
  const client: ClientParts = {
    state: engine.state,
    run,
    closed: closed.promise,
    onEvent: (listener) => events.on(listener),
  };
  control.serve({
    ...client,
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
