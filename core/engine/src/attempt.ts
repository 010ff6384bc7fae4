import { formatEndpoint } from '@awl/api';
import type {
  BehaviourVector,
  Candidate,
  JsonValue,
  Lease,
  Pair,
  PlanEntry,
  Role,
  Transport,
} from '@awl/api';
import { AwlError, toAwlError } from '@awl/wire';
import { gatherCandidates, type GatheredLease } from './candidate/gather.ts';
import { fingerprintKey, lanFingerprints, shareLan } from './candidate/lan.ts';
import type { EngineCore } from './core.ts';
import { openPath, type OpenPath } from './path/open-path.ts';
import { assessLanes } from './punch/assess.ts';
import { AttemptLog } from './punch/attempt-log.ts';
import { deliver, type Lane, type RegisteredStrategy } from './punch/lane.ts';
import { prepareLanes } from './punch/prepare.ts';
import { raceReport } from './punch/race-report.ts';
import { runRace } from './punch/race.ts';
import { verdict } from './punch/verdict.ts';
import { deriveAttemptKeys, type AttemptKeyMaterial } from './security/attempt-keys.ts';
import { decodeExchange, SIGNAL_VERSION, type AcceptedBody } from './signal/messages.ts';
import type { Conversation } from './signal/mailbox.ts';
import type { Destinations } from './socket/destinations.ts';
import { ManagedTcpLease } from './socket/tcp-lease.ts';
import { ManagedUdpLease } from './socket/udp-lease.ts';

/** What a caller may ask of an attempt. */
export interface AttemptWish {
  readonly strategies?: readonly string[] | undefined;
  readonly transport?: 'any' | 'udp' | 'tcp' | undefined;
}

/** What offer and answer have in common. */
type SideBody = Omit<AcceptedBody, 'outcome' | 'clock'>;

/** What an attempt brought. */
export interface AttemptResult {
  readonly path: OpenPath;
  readonly transcript: Buffer;
  readonly role: Role;
}

/**
 * One attempt to reach one peer, the part that both sides have in common: prepare, tell, assess, race, open. `dial.ts` and `answer.ts` are
 * the two ways to lead it.
 */
export class AttemptRun implements Disposable {
  readonly conversation: Conversation;
  readonly role: Role;
  readonly log: AttemptLog;
  readonly #core: EngineCore;
  readonly #wish: AttemptWish;
  readonly #destinations: Destinations;
  readonly #abort = new AbortController();
  readonly signal: AbortSignal;
  #lanes = new Map<string, Lane>();
  #local: BehaviourVector;
  #candidates: readonly Candidate[] = [];
  #fingerprints: readonly string[] = [];
  #kept = new Set<Lane['scope']>();

  constructor(
    core: EngineCore,
    conversation: Conversation,
    role: Role,
    local: BehaviourVector,
    wish: AttemptWish,
    signal: AbortSignal,
  ) {
    this.#core = core;
    this.conversation = conversation;
    this.role = role;
    this.#local = local;
    this.#wish = wish;
    this.signal = AbortSignal.any([signal, this.#abort.signal]);
    this.#destinations = core.broker.destinations();
    this.log = new AttemptLog(core.state, core.wallClock, {
      id: conversation.attemptId,
      peer: conversation.peer.peerId,
      role,
      local,
    });
    this.signal.addEventListener('abort', () => this.#release());
  }

  cancel(reason: AwlError): void {
    this.#abort.abort(reason);
  }

  /** Lets the strategies open their sockets, and says what this side tells the other. */
  async prepare(remote?: BehaviourVector): Promise<SideBody> {
    const { broker, clock, random, registered, logFor } = this.#core;
    const strategies = [...registered.strategies.values()].filter((registered) => this.#wanted(registered));
    const lanes = await prepareLanes(strategies, {
      broker,
      clock,
      random,
      role: this.role,
      destinations: this.#destinations,
      local: this.#local,
      ...(remote ? { remote } : {}),
      logFor,
      signal: this.signal,
    });
    this.signal.throwIfAborted();
    for (const lane of lanes) this.#lanes.set(lane.id, lane);
    const ids = [this.conversation.attemptId, ...this.#offererAndAnswerer()] as const;
    [this.#candidates, this.#fingerprints] = await Promise.all([
      this.#gather(),
      lanFingerprints(broker.network, fingerprintKey(...ids)),
    ]);
    return {
      version: SIGNAL_VERSION,
      random: Buffer.from(random.bytes(32)).toString('base64url'),
      behaviour: {
        ...this.#local,
        udp: { ...this.#local.udp, confidence: { ...this.#local.udp.confidence } },
        tcp: { ...this.#local.tcp, confidence: { ...this.#local.tcp.confidence } },
      },
      candidates: this.#candidates.map((candidate) => ({ ...candidate })),
      strategies: [...this.#lanes.values()]
        .filter(({ row }) => row.status !== 'skipped')
        .map(({ id, preparation: { advert } }) => ({ id, ...(advert === undefined ? {} : { advert }) })),
      transports: [...registered.transports.keys()],
      gateways: [...this.#fingerprints],
      name: this.#core.name,
      exhaustive: this.#core.settings.exhaustive,
    };
  }

  /** The pair of networks, once both sides have told theirs. */
  pair(remote: SideBody): Pair {
    return {
      local: this.#local,
      remote: remote.behaviour,
      localCandidates: this.#candidates,
      remoteCandidates: remote.candidates,
      sameLan: shareLan(this.#fingerprints, remote.gateways),
      exhaustive: this.#core.settings.exhaustive && remote.exhaustive === true,
    };
  }

  /** What this side's strategies make of the pair. Lanes that the peer does not have are shown as skipped. */
  async assess(
    pair: Pair,
    remote: SideBody,
  ): Promise<Map<string, NonNullable<SideBody['strategies'][number]['assessment']>>> {
    this.log.update({ remote: pair.remote });
    this.log.candidates(pair.localCandidates, pair.remoteCandidates);
    const theirs = new Map(remote.strategies.map((strategy) => [strategy.id, strategy]));
    for (const lane of this.#lanes.values()) {
      const told = theirs.get(lane.id);
      lane.peerAdvert = told?.advert;
      if (!told && lane.row.status !== 'skipped')
        lane.row = {
          ...lane.row,
          status: 'skipped',
          code: 'unknown-to-peer',
          reason: 'the other side does not have it',
        };
      this.log.row(lane.row);
    }
    const shared = [...this.#lanes.values()].filter(
      ({ id, row }) => theirs.has(id) && row.status !== 'skipped',
    );
    const assessments = await assessLanes(shared, pair, this.#core.clock);
    for (const [id, assessment] of assessments) {
      this.log.trace('assess', `${id}: ${Math.round(assessment.likelihood * 100)} % – ${assessment.reason}`);
      this.#show(id, { assessment });
    }
    return new Map(assessments);
  }

  /** The ids of the strategies that both sides have. */
  shared(remote: SideBody): string[] {
    const theirs = new Set(remote.strategies.map(({ id }) => id));
    return [...this.#lanes.values()]
      .filter(({ id, row }) => theirs.has(id) && row.status !== 'skipped')
      .map(({ id }) => id);
  }

  skip(strategy: string, reason: string): void {
    this.#show(strategy, { status: 'skipped', reason });
  }

  /** Runs the plan and opens the path. Rejects with the verdict on why there is none. */
  async race(parts: {
    readonly plan: readonly PlanEntry[];
    readonly pair: Pair;
    readonly remote: SideBody;
    readonly material: AttemptKeyMaterial;
    /** In our clock's time. */
    readonly startAt: number;
    /** How much later than agreed that is. */
    readonly lateMs: number;
  }): Promise<AttemptResult> {
    const { clock, random, hooks, events, logFor } = this.#core;
    const { plan, pair, remote, material, startAt, lateMs } = parts;
    const { peerId } = this.conversation.peer;
    const attempt = this.conversation.attemptId;
    const keys = deriveAttemptKeys(material);
    this.#permit(pair);
    this.conversation.onMessage('exchange', ({ body }) => this.#onExchange(body));
    this.log.update({ status: 'punching' });
    this.log.trace(
      'plan',
      plan.length === 0
        ? 'nothing to try'
        : plan.map(({ strategy, startMs }) => `${strategy} at ${startMs} ms`).join(', '),
    );
    events.emit('signal.agreed', { attempt, peer: peerId, plan: plan.map(({ strategy }) => strategy) });
    if (plan.length === 0) throw verdict(pair.local, pair.remote, 0);
    try {
      const winner = await runRace({
        lanes: this.#lanes,
        plan,
        role: this.role,
        pair,
        keys: keys.check,
        startAt,
        lateMs,
        clock,
        random,
        signal: this.signal,
        logFor,
        exchange: async (strategy, message) =>
          void (await this.conversation.send('exchange', { strategy, message })),
        ...raceReport({ log: this.log, events, hooks, pair }),
      });
      const transport = await this.#chooseTransport(remote.transports);
      const path = openPath({
        winner,
        keys,
        transport,
        pair,
        clock,
        random,
        network: this.#core.broker.network,
      });
      this.#kept.add(winner.lane.scope);
      winner.lane.scope.release(new Set([winner.punched.lease]));
      const { kind, strategy, remote: at, rttMs } = path.description;
      events.emit('path.selected', {
        peer: peerId,
        kind,
        strategy,
        transport: path.description.transport,
        remote: formatEndpoint(at),
        rttMs: Math.round(rttMs * 10) / 10,
      });
      this.log.trace(
        'path',
        `${path.description.strategy} connected with ${path.description.remote.address}:${path.description.remote.port} after ${Math.round(winner.tookMs)} ms`,
      );
      this.log.end();
      this.#core.experience.learn(pair, winner.lane.id);
      hooks.emit('punch.didSucceed', { peer: peerId, strategy: winner.lane.id, ms: winner.tookMs });
      return { path, transcript: keys.transcriptHash, role: this.role };
    } catch (error) {
      const failure =
        error instanceof AwlError && error.code === 'ERR_PATH_NONE'
          ? verdict(pair.local, pair.remote, plan.length)
          : toAwlError(error);
      throw failure;
    }
  }

  fail(failure: AwlError): void {
    this.log.trace('path', `${failure.code}: ${failure.message}`);
    this.log.end(failure);
    this.#core.hooks.emit('punch.didFail', {
      peer: this.conversation.peer.peerId,
      code: failure.code,
      reason: failure.message,
    });
  }

  /** Ends everything of this attempt but a path that was opened. */
  [Symbol.dispose](): void {
    this.#release();
    this.conversation[Symbol.dispose]();
  }

  #release(): void {
    for (const lane of this.#lanes.values()) {
      if (this.#kept.has(lane.scope)) continue;
      lane.agent.close();
      lane.scope.release();
    }
  }

  #wanted({ strategy: { id }, protocol }: RegisteredStrategy): boolean {
    const { settings } = this.#core;
    const { strategies, transport } = this.#wish;
    // The dialer's wish stands above its own settings; the answering side's settings stand beside the dialer's wish.
    const allowed =
      this.role === 'controlling'
        ? [transport ?? settings.transport]
        : [transport ?? 'any', settings.transport];
    const name = id.slice(0, id.lastIndexOf('@'));
    return (
      settings.allows(id) &&
      allowed.every((kind) => kind === 'any' || kind === protocol) &&
      (!strategies || strategies.includes(id) || strategies.includes(name))
    );
  }

  #offererAndAnswerer(): readonly [string, string] {
    const own = this.#core.identity.peerId;
    const peer = this.conversation.peer.peerId;
    return this.role === 'controlling' ? [own, peer] : [peer, own];
  }

  async #gather(): Promise<readonly Candidate[]> {
    const { broker, hooks } = this.#core;
    const leases = [...this.#lanes.values()].flatMap(({ preparation }) =>
      preparation.leases.slice(0, 1).map(gathered),
    );
    const own = gatherCandidates({
      leases,
      interfaces: broker.network.interfaces(),
      behaviour: this.#local,
    });
    const contributed = await hooks.collect('candidate.gather', { peer: this.conversation.peer.peerId });
    const filtered = await hooks.waterfall('candidate.filter', [...own, ...contributed]);
    return (await hooks.waterfall('candidate.prioritize', filtered)).slice(0, 32);
  }

  /** From `go` on the peer's candidates may be probed; where the rendezvous saw it, it really is. */
  #permit({ remoteCandidates, sameLan, exhaustive }: Pair): void {
    this.#destinations.unlimited = exhaustive;
    this.#destinations.permit(
      remoteCandidates.map(({ endpoint }) => endpoint.address),
      { sameHost: sameLan },
    );
    const { observedAddress } = this.conversation;
    if (observedAddress !== undefined && this.#destinations.allows(observedAddress))
      this.#destinations.confirm(observedAddress);
  }

  #onExchange(body: JsonValue): void {
    try {
      const { strategy, message } = decodeExchange(body);
      const lane = this.#lanes.get(strategy);
      if (lane) deliver(lane, message);
    } catch (error) {
      this.log.trace('signal', `a message of the other side was refused: ${toAwlError(error).message}`);
    }
  }

  #show(strategy: string, change: Partial<Lane['row']>): void {
    const lane = this.#lanes.get(strategy);
    if (!lane) return;
    lane.row = { ...lane.row, ...change };
    this.log.row(lane.row);
  }

  async #chooseTransport(theirs: readonly string[]): Promise<Transport | undefined> {
    const { registered, hooks } = this.#core;
    const available = [...registered.transports.keys()].filter((id) => theirs.includes(id));
    const chosen = await hooks.bail('transport.choose', { peer: this.conversation.peer.peerId, available });
    return registered.transports.get(
      chosen !== undefined && available.includes(chosen) ? chosen : (available[0] ?? ''),
    )?.transport;
  }
}

/** A lease with what its strategy asked for: where the rendezvous sees it, which port of the router leads to it. */
function gathered(lease: Lease): GatheredLease {
  if (!(lease instanceof ManagedUdpLease || lease instanceof ManagedTcpLease)) return { lease };
  const { knownReflexive, knownMapped } = lease;
  return {
    lease,
    ...(knownReflexive ? { reflexive: knownReflexive } : {}),
    ...(knownMapped ? { mapped: knownMapped } : {}),
  };
}

export type { SideBody };
