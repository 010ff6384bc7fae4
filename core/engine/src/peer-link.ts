import { delay, type PathState, type PeerState, type PeerStatus } from '@awl/api';
import { formatEndpoint } from '@awl/api';
import { AwlError, ticketIdOf, toAwlError, type Ticket } from '@awl/wire';
import type { AttemptResult } from './attempt.ts';
import type { EngineCore } from './core.ts';
import { UdpFlows } from './forward/udp-flow.ts';
import type { Shares } from './forward/shares.ts';
import { newPeerState } from './punch/attempt-log.ts';
import type { OpenPath } from './path/open-path.ts';
import type { Grant } from './security/authorization.ts';
import { ticketProof } from './security/ticket-proof.ts';
import { createSession, type Session } from './session/session.ts';
import { ThroughputMeter } from './session/throughput.ts';

/** When the controlling side dials again after a path was lost, milliseconds after the loss or the failed dial. */
const REDIAL_MS = [0, 300, 1000, 2000, 4000, 8000, 15_000];
const PATHS_REMEMBERED = 20;
const SAMPLE_MS = 1000;

/** A path that an attempt brought, and what it is for. */
export interface Arrival extends AttemptResult {
  readonly attemptId: string;
  /** The path belongs to the session there is. */
  readonly resumes: boolean;
  /** What lets the peer use our shares. */
  readonly grant?: Grant | undefined;
}

/** Makes a path to the peer; `session` is the one to resume. */
export type Redial = (session: string | undefined, signal: AbortSignal) => Promise<Arrival>;

/**
 * One peer: its session, the paths under it, and what the UI shows of it. The controlling side looks for another path when one is lost; the
 * other waits for it.
 */
export class PeerLink implements Disposable {
  readonly id: string;
  readonly #core: EngineCore;
  readonly #shares: Shares;
  readonly #lifetime = new AbortController();
  readonly #meter: ThroughputMeter;
  #state: PeerState;
  #session: Session | undefined;
  #flows: UdpFlows | undefined;
  #paths = new Set<OpenPath>();
  #connecting: Promise<Session> | undefined;
  #redial: Redial | undefined;
  #redialling = false;
  #sampler: Disposable | undefined;
  readonly #announced = new WeakSet<Session>();
  /** Tickets that the present session knows. */
  readonly #presented = new Set<string>();

  constructor(core: EngineCore, shares: Shares, id: string, name: string) {
    this.#core = core;
    this.#shares = shares;
    this.id = id;
    this.#state = newPeerState(id, name);
    this.#meter = new ThroughputMeter();
    this.#publish();
  }

  get state(): PeerState {
    return this.#state;
  }

  /** The live session, if there is one; it may be waiting for a path. */
  get session(): Session | undefined {
    return this.#session?.closed === undefined ? this.#session : undefined;
  }

  get flows(): UdpFlows | undefined {
    return this.#flows;
  }

  /** True while this side dials for a session that is not there yet. */
  get dialling(): boolean {
    return this.#connecting !== undefined && this.session === undefined;
  }

  update(change: Partial<PeerState>): void {
    this.#state = { ...this.#state, ...change };
    this.#publish();
  }

  /** The session, made with `redial` if there is none. Several callers share one attempt. */
  connect(redial: Redial, signal?: AbortSignal): Promise<Session> {
    this.#redial = redial;
    if (this.session) return Promise.resolve(this.session);
    this.#connecting ??= this.#first(signal).finally(() => (this.#connecting = undefined));
    return this.#connecting;
  }

  /** A session that somebody else makes: the peer's own attempt won a glare. */
  async awaitSession(timeoutMs: number, signal: AbortSignal): Promise<Session | undefined> {
    const until = this.#core.clock.now() + timeoutMs;
    while (!this.session && this.#core.clock.now() < until) {
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      const timer = this.#core.clock.schedule(until - this.#core.clock.now(), woken.resolve);
      await Promise.race([woken.promise, aborted(signal)]).finally(() => timer[Symbol.dispose]());
    }
    return this.session;
  }
  #wake: (() => void) | undefined;

  /** Shows a ticket within the session there is. Rejects with the code of its refusal. */
  async present(ticket: Ticket): Promise<void> {
    const { session } = this;
    if (!session || this.#presented.has(ticketIdOf(ticket.secret))) return;
    const binding = { attemptId: session.id, offererId: this.#core.identity.peerId, answererId: this.id };
    const id = ticketIdOf(ticket.secret);
    const stream = session.openStream({
      protocol: 'ticket',
      ticket: id,
      proof: ticketProof(ticket.secret, binding),
    });
    stream.end();
    stream.resume();
    await new Promise<void>((resolve, reject) => stream.once('end', resolve).once('error', reject));
    this.#presented.add(id);
  }

  /** Takes a path that an attempt brought, on either side. Rejects with the session's reason when it can't be attached. */
  async arrive(arrival: Arrival, signal: AbortSignal = this.#lifetime.signal): Promise<Session> {
    const { path, transcript } = arrival;
    const known = arrival.resumes ? this.session : undefined;
    const session = known ?? this.#open(arrival);
    if (known?.path)
      await this.#core.hooks.series('path.willSwitch', {
        peer: this.id,
        from: known.path.strategy,
        to: path.description.strategy,
      });
    this.#paths.add(path);
    path.duplex.once('close', () => this.#forget(path));
    try {
      await session.attach(
        {
          duplex: path.duplex,
          describe: {
            kind: path.description.kind,
            strategy: path.description.strategy,
            transport: path.description.transport,
            path: pathKey(path),
          },
          transcript,
          ...(path.datagrams ? { datagrams: path.datagrams } : {}),
        },
        AbortSignal.any([signal, this.#lifetime.signal]),
      );
      return session;
    } catch (error) {
      this.#forget(path);
      if (!known) session.close('ERR_PATH_LOST');
      throw error;
    }
  }

  /**
   * Gives the live path up, because what it runs on is going away: another is looked for first; with `force` it is cut at once, and the
   * session waits for another as after any loss.
   */
  async leavePath(force: boolean): Promise<void> {
    const leaving = [...this.#paths];
    const session = this.session;
    if (!force && session?.role === 'controlling' && this.#redial) {
      await this.arrive(await this.#redial(session.id, this.#lifetime.signal));
      return;
    }
    for (const path of leaving)
      path.duplex.destroy(new AwlError('ERR_PATH_LOST', 'its transport was disabled'));
  }

  disconnect(): void {
    this.#redial = undefined;
    this.#session?.close();
  }

  [Symbol.dispose](): void {
    this.#lifetime.abort(new AwlError('ERR_SESSION_CLOSED'));
    this.#sampler?.[Symbol.dispose]();
    this.#session?.close();
    for (const path of this.#paths) this.#forget(path);
  }

  async #first(signal?: AbortSignal): Promise<Session> {
    const redial = this.#redial!;
    const both = AbortSignal.any([this.#lifetime.signal, ...(signal ? [signal] : [])]);
    this.update({ status: 'connecting' });
    try {
      return await this.arrive(await redial(undefined, both), both);
    } catch (error) {
      const failure = toAwlError(error);
      if (this.session) return this.session; // the peer's own attempt got through meanwhile
      this.update({
        status: statusOf(failure),
        code: failure.code,
        reason: failure.message,
        remedy: failure.remedy,
      });
      throw failure;
    }
  }

  #open({ attemptId, role, transcript, grant }: Arrival): Session {
    const { identity, clock, settings } = this.#core;
    const previous = this.#session;
    const session = createSession({
      id: attemptId,
      role,
      identity,
      peer: { peerId: this.id },
      transcript,
      clock,
      ...(settings.streams === undefined ? {} : { limits: { streams: settings.streams } }),
    });
    const flows = new UdpFlows(session, clock);
    const grants: Grant[] = [grant ?? { peerId: this.id, by: 'remembered' }];
    const peer = { grants, session: session.id, id: this.id, flows, signal: this.#lifetime.signal };
    session.onStream = (stream, header) => void this.#shares.accept(stream, header, peer);
    session.onPathSelected = () => this.#onSelected(session);
    session.onPathLost = (code, reason) => this.#onLost(session, code, reason);
    session.onClosed = (code) => this.#onClosed(session, code);
    this.#session = session;
    this.#flows = flows;
    this.#presented.clear();
    // The peer begins anew: what it forgot can't be resumed. Its shares of streams end with the old session.
    previous?.close('ERR_SESSION_LOST');
    return session;
  }

  #onSelected(session: Session): void {
    const path = [...this.#paths].find((candidate) => pathKey(candidate) === session.path?.['path']);
    if (!path || session !== this.#session) return;
    const { description } = path;
    const { kind, strategy, transport, local, remote, rttMs } = description;
    if (!this.#announced.has(session)) {
      this.#announced.add(session);
      this.#core.events.emit('session.opened', { peer: this.id, session: session.id });
      this.#core.hooks.emit('session.didOpen', { peer: this.id, session: session.id, role: session.role });
    }
    const before = this.#state.path;
    const state: PathState = {
      kind,
      strategy,
      transport,
      local,
      remote,
      since: this.#core.wallClock(),
      rttMs,
    };
    const { code: _code, reason: _reason, remedy: _remedy, ...clean } = this.#state;
    this.#state = {
      ...clean,
      status: 'connected',
      path: state,
      pathHistory: [...clean.pathHistory, state].slice(-PATHS_REMEMBERED),
    };
    this.#publish();
    this.#core.hooks.emit('path.didSelect', { peer: this.id, strategy, transport, remote, rttMs });
    this.#core.log.info(
      `${this.#state.name}: ${before ? 'path changed' : 'connected'}, ${kind} by ${strategy} over ${transport}`,
    );
    this.#wake?.();
    this.#sampler ??= this.#sample();
    for (const other of this.#paths) if (other !== path) this.#forget(other);
  }

  #onLost(session: Session, code: string, reason: string): void {
    if (session !== this.#session) return;
    const now = this.#core.wallClock();
    const history = this.#state.pathHistory.map((path, index, all) =>
      index === all.length - 1 ? { ...path, until: now, code } : path,
    );
    const { path: _path, ...others } = this.#state;
    this.#state = { ...others, status: 'reconnecting', pathHistory: history, code, reason };
    this.#publish();
    this.#core.events.emit('path.lost', { peer: this.id, code, reason });
    this.#core.log.warn(`${this.#state.name}: path lost, ${reason}`);
    if (session.role === 'controlling') void this.#reconnect(session);
  }

  async #reconnect(session: Session): Promise<void> {
    if (this.#redialling) return;
    this.#redialling = true;
    const { signal } = this.#lifetime;
    try {
      for (
        let attempt = 0;
        session.closed === undefined && session.path === undefined && !signal.aborted;
        attempt++
      ) {
        await delay(this.#core.clock, REDIAL_MS[Math.min(attempt, REDIAL_MS.length - 1)]!, signal);
        const redial = this.#redial;
        if (!redial || session.closed !== undefined || session.path !== undefined) return;
        try {
          await this.arrive(await redial(session.id, signal), signal);
          return;
        } catch (error) {
          const failure = toAwlError(error);
          this.#core.log.warn(`${this.#state.name}: no path yet, ${failure.message}`);
          this.update({ code: failure.code, reason: failure.message, remedy: failure.remedy });
        }
      }
    } catch {
      // The link ended while it waited.
    } finally {
      this.#redialling = false;
    }
  }

  #onClosed(session: Session, code: string): void {
    this.#core.events.emit('session.closed', { peer: this.id, code });
    this.#core.hooks.emit('session.didClose', { peer: this.id, session: session.id, code });
    if (session !== this.#session) return;
    for (const path of this.#paths) this.#forget(path);
    this.#sampler?.[Symbol.dispose]();
    this.#sampler = undefined;
    const { path: _path, ...others } = this.#state;
    this.#state = {
      ...others,
      status: 'online',
      streams: 0,
      sendRateBps: 0,
      receiveRateBps: 0,
      ...(code === 'ERR_SESSION_CLOSED' ? {} : { code }),
    };
    this.#publish();
  }

  /** Figures once a second, while there is a session. */
  #sample(): Disposable {
    return this.#core.clock.schedule(SAMPLE_MS, () => {
      const session = this.session;
      if (!session) return;
      const stats = session.stats();
      const rates = this.#meter.sample(stats.sentBytes, stats.receivedBytes, this.#core.clock.now());
      const live = [...this.#paths].find((path) => pathKey(path) === session.path?.['path'])?.stats();
      const path = this.#state.path && {
        ...this.#state.path,
        ...(stats.rttMs === undefined ? {} : { rttMs: stats.rttMs }),
        ...(live?.lossRatio === undefined ? {} : { lossRatio: live.lossRatio }),
      };
      this.update({
        ...rates,
        sentBytes: stats.sentBytes,
        receivedBytes: stats.receivedBytes,
        streams: stats.streams,
        ...(path ? { path } : {}),
      });
      this.#sampler = this.#sample();
    });
  }

  #forget(path: OpenPath): void {
    if (this.#paths.delete(path)) path[Symbol.dispose]();
  }

  #publish(): void {
    this.#core.state.apply({ collection: 'peers', id: this.id, value: this.#state });
  }
}

function pathKey({ description: { strategy, local, remote } }: OpenPath): string {
  return `${strategy} ${formatEndpoint(local)} ${formatEndpoint(remote)}`;
}

function statusOf(failure: AwlError): PeerStatus {
  if (failure.code.startsWith('ERR_PATH')) return 'no-path';
  if (
    failure.code.startsWith('ERR_AUTH') ||
    failure.code.startsWith('ERR_TICKET') ||
    failure.code === 'ERR_PEER_KEY_CHANGED'
  )
    return 'refused';
  return failure.code === 'ERR_PEER_OFFLINE' || failure.code === 'ERR_PEER_UNKNOWN' ? 'offline' : 'online';
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
