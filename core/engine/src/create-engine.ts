import type { Duplex } from 'node:stream';
import {
  type Host,
  type JsonValue,
  type Logger,
  type NatState,
  type PortMapper,
  type RendezvousState,
} from '@awl/api';
import { AwlError, encodeTicket, toAwlError } from '@awl/wire';
import { StateStore } from './client.ts';
import { mapLeasesBy } from './candidate/lease-mapping.ts';
import { MappingKeeper } from './candidate/mapping-keeper.ts';
import type { EngineCore, Registered } from './core.ts';
import { createRegistry } from './engine-registry.ts';
import type { ConnectOptions, Engine, EngineParts, ForwardRequest, ShareRequest } from './engine.ts';
import { EngineSettings } from './engine-settings.ts';
import { EngineEventBus } from './events.ts';
import { Forwards } from './forward/forwards.ts';
import { Shares } from './forward/shares.ts';
import { HookBus } from './hook/hook-bus.ts';
import { Experience } from './punch/experience.ts';
import { NetworkWatch } from './nat/network-watch.ts';
import { measureNat } from './nat/discovery.ts';
import { Pairing } from './pair.ts';
import { Peers } from './peers.ts';
import { PairingWorker } from './security/pairing/index.ts';
import type { Owner } from './registry.ts';
import { Mailbox } from './signal/mailbox.ts';
import { RendezvousSet } from './signal/rendezvous-set.ts';
import type { Rendezvous } from './signal/rendezvous.ts';
import { initialState } from './initial-state.ts';
import { SocketBroker } from './socket/broker.ts';

const TICKET_LIFE_S = 24 * 3600;
const LOG_LINE_CHARS = 1000;
const SAMPLE_MS = 10_000;

/** Makes an engine. It connects nothing until plugins registered strategies, and talks to nobody until it has a rendezvous. */
export function createEngine(parts: EngineParts): Engine {
  return new PunchEngine(parts);
}

class PunchEngine implements Engine {
  readonly state: StateStore;
  readonly registry: Engine['registry'];
  readonly clock: Engine['clock'];
  readonly random: Engine['random'];
  readonly #parts: EngineParts;
  readonly #core: EngineCore;
  readonly #peers: Peers;
  readonly #shares: Shares;
  readonly #forwards: Forwards;
  readonly #worker: PairingWorker;
  readonly #keeper: MappingKeeper;
  readonly #watch: NetworkWatch;
  #sampler: Disposable;
  readonly #lifetime = new AbortController();
  readonly #rendezvous: RendezvousSet;
  #measuring: Promise<NatState> | undefined;
  #nextLogId = 1;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.clock = parts.clock;
    this.random = parts.random;
    this.state = new StateStore(parts.clock, initialState(parts));
    const registered: Registered = {
      strategies: new Map(),
      transports: new Map(),
      portMappers: new Map(),
      natProbes: new Map(),
    };
    this.#rendezvous = new RendezvousSet({
      make: parts.openRendezvous,
      listen: (rendezvous, own) => this.#listen(rendezvous, own),
      opened: (rendezvous) => this.#onOpened(rendezvous),
      signal: this.#lifetime.signal,
    });
    const hooks = new HookBus(parts.clock, ({ hook, owner, reason, quarantined }) =>
      this.#log(
        'warn',
        owner.plugin,
        `hook ${hook} failed: ${reason}${quarantined ? '; it is not called again' : ''}`,
      ),
    );
    const broker = new SocketBroker(parts.network, parts.clock, parts.random);
    const mailbox = new Mailbox(parts.identity, parts.clock, parts.random);
    this.#core = {
      identity: parts.identity,
      name: parts.name,
      clock: parts.clock,
      random: parts.random,
      wallClock: parts.wallClock,
      broker,
      hooks,
      state: this.state,
      events: new EngineEventBus(),
      mailbox,
      authorization: parts.authorization,
      registered,
      log: this.#logger('engine'),
      logFor: (plugin) => this.#logger(plugin),
      behaviour: async () =>
        (await this.#measuring?.catch(() => undefined))?.behaviour ?? this.#core.nat().behaviour,
      nat: () => this.state.state.nat,
      settings: new EngineSettings(broker.budget),
      experience: new Experience(),
    };
    mailbox.onRefused = (error, from) => this.#log('warn', 'signal', `${from.slice(0, 8)}: ${error.message}`);
    mailbox.onReceived = (peer, kind, sizeBytes) =>
      hooks.emit('signal.didReceive', { peer, kind, sizeBytes });
    this.#worker = new PairingWorker(parts.clock);
    this.#keeper = new MappingKeeper({
      mappers: () => [...registered.portMappers.values()].map(({ mapper }) => mapper),
      clock: parts.clock,
      wallClock: parts.wallClock,
      storage: parts.mappingStorage ?? { load: async () => undefined, save: async () => {} },
      hooks,
      state: this.state,
      log: this.#logger('mapping'),
    });
    broker.map = mapLeasesBy(this.#keeper);
    void this.#keeper.start();
    this.state.subscribe(({ changes }) => {
      for (const change of changes)
        if ('collection' in change && change.collection === 'plugins')
          hooks.emit('plugin.didChange', { plugin: change.id, state: change.value?.status ?? 'removed' });
    });
    this.#sampler = this.#sample();
    this.#watch = new NetworkWatch(
      parts.clock,
      () => parts.network.interfaces(),
      (addresses) => this.#onNetworkChange(addresses),
    );
    this.#shares = new Shares(this.#core);
    this.#forwards = new Forwards(this.#core);
    const pairing = new Pairing(this.#core, this.#worker, parts.password, parts.clock);
    this.#peers = new Peers(this.#core, this.#shares, pairing, this.#rendezvous);
    this.registry = createRegistry({
      registered,
      hooks,
      broker,
      links: () => this.#peers.all(),
      hostFor: (owner) => this.#hostFor(owner),
      onMapper: (mapper, present) =>
        void (present ? this.#announce(mapper) : this.#keeper.removeMapper(mapper)),
    });
  }

  get on(): Engine['on'] {
    return (name, listener) => this.#core.events.on(name, listener);
  }

  async useRendezvous(rendezvous: Rendezvous | undefined, signal?: AbortSignal): Promise<void> {
    if (!rendezvous) this.state.apply({ section: 'rendezvous', value: { url: '', status: 'none' } });
    await this.#rendezvous.use(rendezvous, signal);
  }

  async measure({
    full = false,
    signal,
  }: { readonly full?: boolean; readonly signal?: AbortSignal } = {}): Promise<NatState> {
    const { broker, hooks, registered } = this.#core;
    this.state.apply({ section: 'nat', value: { ...this.#core.nat(), status: 'measuring' } });
    const measurement = measureNat({
      broker,
      hooks,
      probes: [...registered.natProbes.values()].map(({ probe }) => probe),
      wallClock: this.#parts.wallClock,
      signal: AbortSignal.any([this.#lifetime.signal, ...(signal ? [signal] : [])]),
    });
    this.#measuring = measurement.mapping;
    const publish = (nat: NatState): NatState => {
      const value = { ...nat, mappings: this.#core.nat().mappings };
      this.state.apply({ section: 'nat', value });
      return value;
    };
    const complete = measurement.complete.then(publish).then((nat) => {
      this.#measuring = undefined;
      this.#core.events.emit('nat.behaviour', nat.behaviour);
      hooks.emit('nat.didChange', nat.behaviour);
      return nat;
    });
    complete.catch(() => {});
    const mapping = await measurement.mapping.then(publish);
    return full ? complete : mapping;
  }

  async connect(
    to: { readonly peer?: string; readonly ticket?: string },
    options: ConnectOptions = {},
  ): Promise<string> {
    return (await this.#peers.connect(to, options)).link.id;
  }

  async disconnect(peer: string): Promise<void> {
    this.#peers.find(peer).disconnect();
  }

  async ping(peer: string): Promise<{ readonly rttMs: number; readonly path: string }> {
    const link = this.#peers.find(peer);
    if (!link.session)
      throw new AwlError('ERR_SESSION_CLOSED', `There is no session with ${link.state.name}.`);
    const rttMs = await link.session.ping();
    const { path } = link.state;
    return { rttMs, path: path ? `${path.kind} by ${path.strategy} over ${path.transport}` : 'unknown' };
  }

  cancelAttempt(attempt: string): void {
    this.#peers.cancel(attempt);
  }

  async share({
    target,
    protocol = 'tcp',
    expiresS = TICKET_LIFE_S,
    uses,
  }: ShareRequest): Promise<{ readonly share: string; readonly ticket: string }> {
    const { identity, authorization, random, wallClock } = this.#core;
    const share = this.#shares.add(target, protocol);
    const expiresAtMs = (Math.floor(wallClock() / 1000) + expiresS) * 1000;
    const { id, secret } = await authorization.addTicket(random, {
      share,
      expiresAtMs,
      ...(uses === undefined ? {} : { uses }),
    });
    const ticket = encodeTicket({
      peerId: identity.peerId,
      secret,
      rendezvous: this.#rendezvous.urls,
      share,
      expiresAtMs,
      keys: { spki: identity.spki, sealKey: identity.sealKey },
      candidates: [],
    });
    this.#shares.addTicket(share, {
      id,
      ticket,
      expiresAt: expiresAtMs,
      ...(uses === undefined ? {} : { usesLeft: uses }),
    });
    this.#core.events.emit('share.ready', { share, ticket });
    return { share, ticket };
  }

  async unshare(share: string): Promise<void> {
    if (!this.#shares.remove(share))
      throw new AwlError('ERR_USAGE', `There is no share ${share.slice(0, 64)}.`);
    await this.#core.authorization.revokeShare(share);
  }

  async forward(request: ForwardRequest): Promise<{ readonly forward: string; readonly listen: string }> {
    const { listen, protocol = 'tcp', target } = request;
    // A busy port is told before anything is punched.
    await this.#forwards.assertFree(listen, protocol);
    const connected = await this.#peers.connect(request, request);
    const { link } = connected;
    const share = target === undefined ? connected.share : undefined;
    const { signal: _signal, ...again } = request;
    return this.#forwards.add({
      listen,
      protocol,
      want: { ...(share === undefined ? {} : { share }), ...(target === undefined ? {} : { target }) },
      link: {
        peerId: link.id,
        session: async () => {
          if (!link.session) await this.#peers.connect(request, again);
          const { session, flows } = link;
          if (!session || !flows) throw new AwlError('ERR_SESSION_CLOSED');
          return { session, flows };
        },
      },
    });
  }

  async openStream(request: Omit<ForwardRequest, 'listen'>): Promise<Duplex> {
    const { link, share } = await this.#peers.connect(request, request);
    return this.#peers.openStream(link, {
      share: request.target === undefined ? share : undefined,
      target: request.target,
    });
  }

  async unforward(forward: string): Promise<void> {
    if (!this.#forwards.remove(forward))
      throw new AwlError('ERR_USAGE', `There is no forward ${forward.slice(0, 64)}.`);
  }

  configure(settings: { readonly [key: string]: JsonValue }): void {
    this.#core.settings.apply(settings);
    for (const [key, value] of Object.entries(settings))
      this.#core.hooks.emit('config.didChange', { key, value });
  }

  async close(): Promise<void> {
    this.#lifetime.abort(new AwlError('ERR_SESSION_CLOSED', 'the node stops'));
    this.#watch[Symbol.dispose]();
    this.#sampler[Symbol.dispose]();
    this.#forwards[Symbol.dispose]();
    this.#peers[Symbol.dispose]();
    this.#shares[Symbol.dispose]();
    this.#worker[Symbol.dispose]();
    await this.#keeper.releaseAll();
    await this.#rendezvous.close();
    this.state[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Takes what a rendezvous brings. Only the node's own tells who is there. */
  #listen(rendezvous: Rendezvous, own: boolean): void {
    rendezvous.onSignal = (from, sealed) => this.#core.mailbox.receive(from, sealed, rendezvous);
    if (!own) return;
    rendezvous.onPresence = (record) => this.#peers.onPresence(record);
    rendezvous.onStatus = (status, detail) => {
      const value: RendezvousState = { url: rendezvous.url, status, ...detail };
      this.state.apply({ section: 'rendezvous', value });
    };
  }

  /** The first rendezvous tells the STUN servers; the node's own replaces them. */
  async #onOpened(rendezvous: Rendezvous): Promise<void> {
    const own = rendezvous === this.#rendezvous.own;
    if (!own && this.#core.broker.stun.udp.length > 0) return;
    this.#core.broker.stun = rendezvous.stun;
    const measured = this.measure().catch((error: unknown) =>
      this.#log('warn', 'nat', toAwlError(error).message),
    );
    // Who dials by a ticket's rendezvous waits for the verdict anyway.
    if (!own) await measured;
  }

  /** What plugins measure is shown beside their status items. */
  #sample(): Disposable {
    return this.clock.schedule(SAMPLE_MS, () => {
      void this.#core.hooks.collect('metrics.sample', { atMs: this.#parts.wallClock() }).then((metrics) => {
        for (const { name, value } of metrics)
          this.state.apply({
            collection: 'statusItems',
            id: `metric.${name}`,
            value: { id: `metric.${name}`, plugin: 'metrics', text: `${name} ${value}` },
          });
      });
      this.#sampler = this.#sample();
    });
  }

  #onNetworkChange(addresses: readonly string[]): void {
    this.#log('info', 'nat', 'the addresses of this host changed');
    this.#core.hooks.emit('network.didChange', { addresses });
    this.#core.experience.forget();
    void this.#keeper.check({ anew: true });
    this.measure().catch((error: unknown) => this.#log('warn', 'nat', toAwlError(error).message));
  }

  /** Says at once whether an enabled mapper has a router to work with. */
  async #announce(mapper: PortMapper): Promise<void> {
    const log = this.#logger(mapper.id);
    const gateway = await this.#keeper.addMapper(mapper).catch(() => undefined);
    if (!gateway) log.debug('no router answers to it on this network');
    else
      log.info(
        `${gateway.description} at ${gateway.address} will map ports${gateway.externalAddress ? ` of ${gateway.externalAddress}` : ''}`,
      );
  }

  #hostFor(owner: Owner): Host {
    return this.#parts.hostFor(this.#parts.network, owner);
  }

  #log(level: 'debug' | 'info' | 'warn' | 'error', source: string, text: string): void {
    this.state.apply({
      log: [
        {
          id: this.#nextLogId++,
          at: this.#parts.wallClock(),
          level,
          source,
          text: text.slice(0, LOG_LINE_CHARS),
        },
      ],
    });
  }

  #logger(source: string): Logger {
    return {
      debug: (message) => this.#log('debug', source, message),
      info: (message) => this.#log('info', source, message),
      warn: (message) => this.#log('warn', source, message),
      error: (message) => this.#log('error', source, message),
    };
  }
}
