import { AwlError, parseTicket, ticketIdOf, toAwlError, type Ticket } from '@awl/wire';
import { answer } from './answer.ts';
import type { AttemptRun, AttemptWish } from './attempt.ts';
import type { EngineCore } from './core.ts';
import { dial } from './dial.ts';
import type { ConnectOptions } from './engine.ts';
import type { Shares } from './forward/shares.ts';
import type { Pairing } from './pair.ts';
import { PeerLink, type Arrival, type Redial } from './peer-link.ts';
import { verifyPublicIdentity, type PublicIdentity } from './security/identity.ts';
import { ticketProof } from './security/ticket-proof.ts';
import type { SessionStream } from './session/stream.ts';
import type { Conversation } from './signal/mailbox.ts';
import type { OfferAuth } from './signal/messages.ts';
import type { PeerRecord, Rendezvous } from './signal/rendezvous.ts';

/** How long the loser of a glare waits for the winner's attempt. */
const GLARE_TIMEOUT_MS = 20_000;

/** A peer that the user named, found. */
interface Target {
  readonly peer: PublicIdentity;
  readonly name: string;
  readonly observedAddress: string | undefined;
  readonly rendezvous: Rendezvous;
  readonly ticket: Ticket | undefined;
}

/** What the engine needs to reach rendezvous that are not its own: those that tickets name. */
export interface RendezvousPool {
  /** An open rendezvous out of these URLs: the node's own if it is among them or nothing else is named. */
  among(urls: readonly string[]): Promise<Rendezvous>;
}

/** All peers: who is there, dialling out, answering in, and the glare of both. */
export class Peers implements Disposable {
  readonly #core: EngineCore;
  readonly #shares: Shares;
  readonly #pairing: Pairing;
  readonly #pool: RendezvousPool;
  readonly #links = new Map<string, PeerLink>();
  readonly #runs = new Map<string, AttemptRun>();
  /** Attempts that the user cancelled. */
  readonly #cancelled = new Set<string>();
  readonly #lifetime = new AbortController();

  constructor(core: EngineCore, shares: Shares, pairing: Pairing, pool: RendezvousPool) {
    this.#core = core;
    this.#shares = shares;
    this.#pairing = pairing;
    this.#pool = pool;
    core.mailbox.onOpening = (kind, conversation) =>
      void (kind === 'offer'
        ? this.#onOffer(conversation)
        : pairing.answer(conversation, this.#lifetime.signal));
  }

  get(id: string): PeerLink | undefined {
    return this.#links.get(id);
  }

  all(): Iterable<PeerLink> {
    return this.#links.values();
  }

  /** By id or name. Throws `ERR_PEER_UNKNOWN`. */
  find(nameOrId: string): PeerLink {
    const link =
      this.#links.get(nameOrId) ?? [...this.#links.values()].find(({ state }) => state.name === nameOrId);
    if (!link) throw new AwlError('ERR_PEER_UNKNOWN', `No peer ${nameOrId.slice(0, 64)} is known here.`);
    return link;
  }

  /** The rendezvous tells who came or went. */
  onPresence(record: PeerRecord): void {
    if (record.peerId === this.#core.identity.peerId) return;
    const link = this.link(record.peerId, record.name);
    const known = link.state.status;
    const idle = known === 'offline' || known === 'online';
    link.update({
      ...(record.name === undefined ? {} : { name: record.name }),
      ...(idle ? { status: record.online ? 'online' : 'offline' } : {}),
      ...(record.seenAt === undefined ? {} : { seenAt: record.seenAt }),
      remembered: this.#core.authorization.peers.some(({ peerId }) => peerId === record.peerId),
    });
    if (record.online && known === 'offline')
      this.#core.hooks.emit('peer.didAppear', { peer: record.peerId, name: link.state.name });
  }

  link(id: string, name?: string): PeerLink {
    const known = this.#links.get(id);
    if (known) return known;
    const link = new PeerLink(this.#core, this.#shares, id, name ?? id.slice(0, 9));
    this.#links.set(id, link);
    return link;
  }

  /** Reaches a peer by id, name or ticket; the link has a live session then. */
  async connect(
    to: { readonly peer?: string | undefined; readonly ticket?: string | undefined },
    options: ConnectOptions,
  ): Promise<{ readonly link: PeerLink; readonly share: string | undefined }> {
    const signal = AbortSignal.any([this.#lifetime.signal, ...(options.signal ? [options.signal] : [])]);
    const ticket = to.ticket === undefined ? undefined : parseTicket(to.ticket, this.#core.wallClock());
    const existing = this.#links.get(ticket?.peerId ?? to.peer ?? '');
    if (existing?.session) {
      if (ticket) await existing.present(ticket);
      return { link: existing, share: ticket?.share };
    }
    const target = await this.#resolve(to.peer, ticket, signal);
    const link = this.link(target.peer.peerId, target.name);
    if (target.name !== link.state.name && !ticket) link.update({ name: target.name });
    await this.#connectThroughGlare(
      link,
      (session, dialSignal) => this.#dial(target, link, options, session, dialSignal),
      signal,
    );
    if (!ticket)
      await this.#core.authorization.pinName(
        target.rendezvous.fingerprint ?? target.rendezvous.url,
        target.name,
        target.peer.peerId,
      );
    return { link, share: ticket?.share };
  }

  /** A stream to a share of a connected peer. */
  async openStream(
    link: PeerLink,
    want: { readonly share?: string | undefined; readonly target?: string | undefined },
  ): Promise<SessionStream> {
    const { session } = link;
    if (!session) throw new AwlError('ERR_SESSION_CLOSED');
    return session.openStream({
      protocol: 'tcp',
      ...(want.share === undefined ? {} : { share: want.share }),
      ...(want.target === undefined ? {} : { target: want.target }),
    });
  }

  cancel(attempt: string): void {
    if (!this.#runs.has(attempt)) return;
    this.#cancelled.add(attempt);
    this.#runs.get(attempt)?.cancel(new AwlError('ERR_ATTEMPT_CANCELLED'));
  }

  [Symbol.dispose](): void {
    this.#lifetime.abort(new AwlError('ERR_SESSION_CLOSED', 'the node stops'));
    for (const link of this.#links.values()) link[Symbol.dispose]();
  }

  /** Where the peer's own attempt won, its session serves this caller as well. */
  async #connectThroughGlare(link: PeerLink, redial: Redial, signal: AbortSignal): Promise<void> {
    try {
      await link.connect(redial, signal);
    } catch (error) {
      const lost =
        error instanceof AwlError &&
        error.code === 'ERR_ATTEMPT_CANCELLED' &&
        !this.#cancelled.has(link.state.attempt ?? '');
      if (!lost || signal.aborted || !(await link.awaitSession(GLARE_TIMEOUT_MS, signal))) throw error;
    }
  }

  async #resolve(peer: string | undefined, ticket: Ticket | undefined, signal: AbortSignal): Promise<Target> {
    if (!ticket && peer === undefined) throw new AwlError('ERR_USAGE', 'A peer or a ticket must be named.');
    const rendezvous = await this.#pool.among(ticket?.rendezvous ?? []);
    const wanted = ticket?.peerId ?? peer ?? '';
    const record = await rendezvous.lookup(wanted, signal);
    if (!record)
      throw new AwlError(
        ticket ? 'ERR_PEER_OFFLINE' : 'ERR_PEER_UNKNOWN',
        ticket
          ? 'The peer that made the ticket is not at the rendezvous.'
          : `Nobody is called ${wanted.slice(0, 64)}.`,
      );
    if (!record.online) throw new AwlError('ERR_PEER_OFFLINE', `${record.name ?? wanted} is not online.`);
    const identity = verifyPublicIdentity(record);
    if (!identity || (ticket && identity.peerId !== ticket.peerId))
      throw new AwlError('ERR_SIGNAL_INVALID', 'The rendezvous told keys that are not the peer’s.');
    if (!ticket)
      this.#core.authorization.checkName(
        rendezvous.fingerprint ?? rendezvous.url,
        record.name ?? wanted,
        identity.peerId,
      );
    return {
      peer: identity,
      name: record.name ?? wanted.slice(0, 9),
      observedAddress: record.observedAddress,
      rendezvous,
      ticket,
    };
  }

  async #dial(
    target: Target,
    link: PeerLink,
    options: ConnectOptions,
    session: string | undefined,
    signal: AbortSignal,
  ): Promise<Arrival> {
    const { peer, ticket, rendezvous } = target;
    const proof =
      options.password !== undefined && session === undefined && !ticket
        ? await this.#pairing.prove(peer, options.password, rendezvous, signal)
        : undefined;
    const auth = (attemptId: string): OfferAuth => {
      if (ticket) {
        const binding = { attemptId, offererId: this.#core.identity.peerId, answererId: peer.peerId };
        return {
          by: 'ticket',
          ticket: ticketIdOf(ticket.secret),
          proof: ticketProof(ticket.secret, binding),
        };
      }
      return proof === undefined ? { by: 'remembered' } : { by: 'password', proof };
    };
    // After a loss the peer may be at another address than it was.
    const observedAddress =
      session === undefined
        ? target.observedAddress
        : (await rendezvous.lookup(peer.peerId, signal))?.observedAddress;
    const wish: AttemptWish = { strategies: options.strategies, transport: options.transport };
    let run: AttemptRun | undefined;
    try {
      const result = await dial(this.#core, {
        ...wish,
        peer,
        courier: rendezvous,
        observedAddress,
        auth,
        session,
        signal,
        onBegin: (begun) => {
          run = begun;
          this.#runs.set(begun.conversation.attemptId, begun);
          link.update({
            attempt: begun.conversation.attemptId,
            status: session === undefined ? 'punching' : 'reconnecting',
          });
        },
      });
      if (result.peerName !== undefined) link.update({ name: result.peerName });
      return result;
    } finally {
      if (run) this.#runs.delete(run.conversation.attemptId);
    }
  }

  /**
   * A peer dials us. Both at once is a glare: the attempt of the greater id goes on, and the other side's callers get its session
   * (RFC 8445 has no glare; this is the rule of two equal callers).
   */
  async #onOffer(conversation: Conversation): Promise<void> {
    const { peerId } = conversation.peer;
    const link = this.link(peerId);
    const own = [...this.#runs.values()].find(
      (run) => run.role === 'controlling' && run.conversation.peer.peerId === peerId,
    );
    try {
      const result = await answer(this.#core, conversation, {
        signal: this.#lifetime.signal,
        hasSession: (session) => link.session?.id === session,
        decline: () =>
          own && link.dialling && this.#core.identity.peerId > peerId
            ? new AwlError('ERR_ATTEMPT_CANCELLED', 'both sides dialled at once; this side goes on')
            : undefined,
        onBegin: (run, offer) => {
          this.#runs.set(conversation.attemptId, run);
          own?.cancel(
            new AwlError('ERR_ATTEMPT_CANCELLED', 'both sides dialled at once; the other side goes on'),
          );
          link.update({
            attempt: conversation.attemptId,
            status: 'punching',
            ...(offer.name === undefined ? {} : { name: offer.name }),
          });
        },
      });
      const resumes = result.offer.session !== undefined && link.session?.id === result.offer.session;
      await link.arrive({ ...result, resumes, grant: result.grant });
    } catch (error) {
      const failure = toAwlError(error);
      if (failure.code !== 'ERR_ATTEMPT_CANCELLED')
        this.#core.log.warn(`${link.state.name}: ${failure.message}`);
      if (!link.session)
        link.update({
          status: 'online',
          code: failure.code,
          reason: failure.message,
          remedy: failure.remedy,
        });
    } finally {
      this.#runs.delete(conversation.attemptId);
      conversation[Symbol.dispose]();
    }
  }
}
