import type { AttemptState, JsonValue, RaceState } from '@awl/api';
import { AwlError, toAwlError } from '@awl/wire';
import type { Contributions } from './contributions.ts';
import type { Kind, KindName } from './network/kinds.ts';
import { setSiteLink, SimulatedNetwork, type Site } from './network/network.ts';
import { SeededRandom } from './random.ts';
import { SimulatedRendezvousServer } from './rendezvous.ts';
import { createSimulatedPeer, type SimulatedPeer } from './simulated-peer.ts';

/** The attempt's own deadlines are shorter. */
const GIVE_UP_MS = 90_000;
/** The race wakes a strategy this much before its start. */
const WOKEN_EARLY_MS = 5;

export interface SimulationOptions extends Partial<Contributions> {
  readonly local: KindName | Kind;
  readonly remote: KindName | Kind;
  /** Everything random comes from it: the same seed gives the same run. */
  readonly seed: number;
  /** How much later the remote side begins than agreed: its `go` is delayed. Default 0. */
  readonly skewMs?: number;
  /** 0 to 1, of the packets between the peers, each direction. Default 0. */
  readonly loss?: number;
  /** Each packet takes up to this much more, and may overtake others. Default 0. */
  readonly jitterMs?: number;
  /** Between the peers. Default 40. */
  readonly rttMs?: number;
  /** Default `any`. */
  readonly transport?: 'any' | 'udp' | 'tcp';
  /** Settings of both engines, such as `{ 'probing.exhaustive': true }`. */
  readonly settings?: { readonly [key: string]: JsonValue };
  /** The other side's strategies and transports, where they are not the same. */
  readonly peer?: Partial<Contributions>;
  /** Called when both sides are at the rendezvous and know their NATs, before the first connects. */
  readonly onReady?: (simulation: Simulation) => void;
}

/** A run that is set up: for looking into it, and for disturbing it. */
export interface Simulation {
  readonly network: SimulatedNetwork;
  readonly local: SimulatedPeer & { readonly site: Site };
  readonly remote: SimulatedPeer & { readonly site: Site };
}

export interface SimulationResult {
  readonly seed: number;
  readonly connected: boolean;
  /** The strategy that won. */
  readonly strategy?: string;
  /** `direct`, `lan`, …: the kind of its path, as the local side sees it. */
  readonly kind?: string;
  /** From the moment both sides had begun to the moment both held the same path: check and nomination. */
  readonly ms?: number;
  /** From that moment to the local side's first check that went both ways; one that came before counts as 0. */
  readonly checkMs?: number;
  /** Packets and dials of both sides' strategies. */
  readonly probes: number;
  /** Every strategy's part, on the local side. */
  readonly race: readonly RaceState[];
  /** The local side's decision trace. */
  readonly trace: readonly string[];
  /** Why there is no path: a code, a sentence, what would help. */
  readonly code?: string;
  readonly reason?: string;
  readonly remedy?: string;
}

/** Runs two engines on a simulated network until both hold the same path, or there is none. Nothing of it takes real time or sockets. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = await setUp(options);
  const { network, local, remote } = simulation;
  const { clock } = network;
  options.onReady?.(simulation);
  const watched = [watch(local), watch(remote)] as const;
  let failure: AwlError | undefined;
  const transport = options.transport ?? 'any';
  local.engine.connect({ peer: remote.peerId }, { transport }).catch((error: unknown) => {
    failure ??= toAwlError(error);
  });
  const bothSelected = (): boolean => watched.every(({ selectedAtMs }) => selectedAtMs !== undefined);
  await clock.run({
    until: () => failure !== undefined || bothSelected(),
    untilMs: clock.now() + GIVE_UP_MS,
  });
  const result = resultOf(
    options.seed,
    watched,
    bothSelected() ? undefined : (failure ?? new AwlError('ERR_PATH_NO_ANSWER', 'The attempt did not end.')),
  );
  await clock.complete(Promise.all([local.engine.close(), remote.engine.close()]));
  return result;
}

/** Two engines at a rendezvous, each in its network, both measured. */
export async function setUp(options: SimulationOptions): Promise<Simulation> {
  const { rttMs = 40, loss = 0, jitterMs = 0, skewMs = 0, seed, strategies = [], transports = [] } = options;
  // Each pair has numbers of its own, so that one lucky seed does not favour a whole row of a matrix.
  const names = [options.local, options.remote].map((kind) => (typeof kind === 'string' ? kind : kind.title));
  const network = new SimulatedNetwork({
    seed: new SeededRandom(seed).fork(`${names.join(' × ')} ${options.transport ?? 'any'}`).seed,
  });
  const { clock, random } = network;
  const quiet = { delayMs: rttMs / 4 };
  const sites = network.addPair(options.local, options.remote, {
    local: { link: quiet },
    remote: { link: quiet },
  });
  const server = await SimulatedRendezvousServer.start(network, { delayMs: rttMs / 4 });
  const add = async (
    name: 'local' | 'remote',
    contributions: Contributions,
  ): Promise<Simulation['local']> => {
    const own = { name, host: sites[name].host, server, clock, random: random.fork(name), contributions };
    // No machine's clock shows what another's does.
    return {
      ...(await createSimulatedPeer({ ...own, clockOffsetMs: random.fork(`clock ${name}`).integer(1e6) })),
      site: sites[name],
    };
  };
  const local = await add('local', { strategies, transports });
  const remote = await add('remote', {
    strategies: options.peer?.strategies ?? strategies,
    transports: options.peer?.transports ?? transports,
  });
  if (options.settings) for (const { engine } of [local, remote]) engine.configure(options.settings);
  await local.authorization.remember({ peerId: remote.peerId });
  await remote.authorization.remember({ peerId: local.peerId });
  await clock.complete(
    Promise.all([local, remote].map(({ engine, rendezvous }) => engine.useRendezvous(rendezvous))),
  );
  // A packet crosses two links.
  const rough = { lossRatio: 1 - Math.sqrt(1 - loss), jitterMs: jitterMs / 2, reorder: jitterMs > 0 };
  for (const { site } of [local, remote]) setSiteLink(site, rough);
  await clock.runUntil(() =>
    [local, remote].every(({ engine }) => engine.state.state.nat.status === 'known'),
  );
  // Of the attempt's messages the remote side receives the offer first, then `go`.
  if (skewMs > 0) remote.rendezvous.lateMs = (nth) => (nth === 1 ? skewMs : 0);
  return { network, local, remote };
}

interface Watched {
  readonly peer: SimulatedPeer;
  startedAtMs?: number;
  checkedAtMs?: number;
  selectedAtMs?: number;
  strategy?: string;
  kind?: string;
}

function watch(peer: SimulatedPeer): Watched {
  const watched: Watched = { peer };
  const { engine, host } = peer;
  engine.on('attempt.started', () => {
    watched.startedAtMs ??= host.now() + WOKEN_EARLY_MS;
  });
  engine.on('attempt.ended', ({ outcome }) => {
    if (outcome === 'connected') watched.checkedAtMs ??= host.now();
  });
  engine.on('path.selected', ({ strategy, kind }) => {
    watched.selectedAtMs ??= host.now();
    watched.strategy ??= strategy;
    watched.kind ??= kind;
  });
  return watched;
}

function resultOf(
  seed: number,
  watched: readonly [Watched, Watched],
  failure: AwlError | undefined,
): SimulationResult {
  const [local, remote] = watched;
  const attempts = watched.map(({ peer }) => newest(peer));
  const race = attempts[0]?.race ?? [];
  const probes = attempts
    .flatMap((attempt) => attempt?.race ?? [])
    .reduce((sum, { probesSent }) => sum + probesSent, 0);
  const trace = (attempts[0]?.trace ?? []).map(({ step, text }) => `${step}: ${text}`);
  const common = { seed, probes, race, trace };
  if (failure)
    return {
      ...common,
      connected: false,
      code: failure.code,
      reason: failure.message,
      remedy: failure.remedy,
    };
  const startedAtMs = Math.max(local.startedAtMs ?? 0, remote.startedAtMs ?? 0);
  const endedAtMs = Math.max(local.selectedAtMs ?? 0, remote.selectedAtMs ?? 0);
  const since = (atMs: number): number => Math.max(0, atMs - startedAtMs);
  const checkMs = local.checkedAtMs === undefined ? {} : { checkMs: since(local.checkedAtMs) };
  return {
    ...common,
    connected: true,
    strategy: local.strategy ?? '',
    kind: local.kind ?? '',
    ms: since(endedAtMs),
    ...checkMs,
  };
}

function newest({ engine }: SimulatedPeer): AttemptState | undefined {
  return Object.values(engine.state.state.attempts).at(-1);
}
