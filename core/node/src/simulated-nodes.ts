import type { CommandName, Commands } from '@awl/api';
import type { Engine } from '@awl/engine';
import type { KindName } from '@awl/testkit';
import { AwlError } from '@awl/wire';
import type { NodeClient } from './client.ts';
import { EventHub } from './event-hub.ts';
import { localClient, type RunCommand } from './local-client.ts';

/** Always the same: who reports what was seen names only the pair. */
const SEED = 1;

/** Two peers, each behind a simulated NAT; nothing of them touches a real network. */
export interface SimulatedNodes extends AsyncDisposable {
  /** The peer that is watched. */
  readonly client: NodeClient;
  /** The other one's id. */
  readonly remotePeerId: string;
  /** What stands behind the two names of the pair. */
  readonly titles: readonly [string, string];
  /** The simulation's wall clock, milliseconds since the Unix epoch. */
  now(): number;
}

/**
 * Starts the engines of two peers over simulated NATs; they know their NATs and have not tried to connect. From here on time runs as fast
 * as outside, so that a person can watch.
 * @param pair two kinds of NAT, such as `P:X`. Rejects with `ERR_USAGE` where there is no such pair.
 */
export async function startSimulatedNodes(pair: string): Promise<SimulatedNodes> {
  const { contributionsOf, KINDS, pace, pairsOf, setUp, SIMULATION_EPOCH_MS } = await import('@awl/testkit');
  const kinds = pairsOf().find((each) => each.join(':') === pair);
  if (!kinds) throw new AwlError('ERR_USAGE', noSuchPair(pair, Object.keys(KINDS), pairsOf()));
  const [local, remote] = kinds;
  const plugins = await Promise.all([
    import('@awl/plugin-udp-kcp'),
    import('@awl/plugin-tcp-simultaneous-open'),
    import('@awl/plugin-lan-direct'),
  ]);
  const simulation = await setUp({ ...(await contributionsOf(plugins)), local, remote, seed: SEED });
  const { clock } = simulation.network;
  const engines = [simulation.local.engine, simulation.remote.engine] as const;
  const [engine] = engines;

  await using scope = new AsyncDisposableStack();
  const stop = new AbortController();
  const paced = pace(clock, { signal: stop.signal });
  scope.defer(() => {
    stop.abort();
    return paced;
  });
  // What an engine says to the other at its end takes time, which has to pass.
  for (const each of engines) scope.use(each);
  const closed = Promise.withResolvers<void>();
  scope.defer(() => closed.resolve());
  const events = scope.use(new EventHub(engine));
  const client = localClient({
    state: engine.state,
    run: commandsOver(engines),
    closed: closed.promise,
    onEvent: (listener) => events.on(listener),
  });
  const resources = scope.move();
  return {
    client,
    remotePeerId: simulation.remote.peerId,
    titles: [KINDS[local].title, KINDS[remote].title],
    now: () => SIMULATION_EPOCH_MS + clock.now(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

type Handlers = {
  readonly [Name in CommandName]?: (
    params: Commands[Name]['params'],
    signal: AbortSignal,
  ) => Promise<Commands[Name]['result']>;
};

/** The commands that need no files, plugins or services of this machine. */
function commandsOver(engines: readonly [Engine, Engine]): RunCommand {
  const [engine] = engines;
  const handlers: Handlers = {
    'peer.connect': async ({ peer, ticket, ...how }, signal) => {
      if (peer === undefined || ticket !== undefined)
        throw new AwlError('ERR_USAGE', 'The simulation knows no tickets, only its other peer.');
      return { peer: await engine.connect({ peer }, { ...how, signal }) };
    },
    'peer.disconnect': ({ peer }) => engine.disconnect(peer).then(() => null),
    'peer.ping': ({ peer }) => engine.ping(peer),
    'attempt.cancel': async ({ attempt }) => {
      engine.cancelAttempt(attempt);
      return null;
    },
    'nat.measure': ({ full = false }, signal) => engine.measure({ full, signal }),
    // The long search needs both sides' leave.
    'config.set': async ({ key, value }) => {
      for (const each of engines) each.configure({ [key]: value });
      return null;
    },
  };
  return async (name, params, signal) => {
    signal.throwIfAborted();
    const run = handlers[name] as Handlers[typeof name] | undefined;
    if (!run) throw new AwlError('ERR_USAGE', `The simulation does not do ${name}.`);
    return run(params, signal);
  };
}

function noSuchPair(
  pair: string,
  names: readonly string[],
  pairs: readonly (readonly [KindName, KindName])[],
): string {
  const isKnown = pair.split(':').length === 2 && pair.split(':').every((name) => names.includes(name));
  if (!isKnown) return `${pair} is no pair of NATs such as P:X. The kinds: ${names.join(', ')}.`;
  const alone = names.filter((name) =>
    pairs.every((each) => !each.some((kind) => kind === name) || each[0] === each[1]),
  );
  return `${pair} is no pair: ${alone.join(', ')} hold both peers, and are paired with themselves only.`;
}
