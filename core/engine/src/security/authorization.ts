import { createHmac } from 'node:crypto';
import type { Clock, JsonValue, Random } from '@awl/api';
import { AwlError, ticketIdOf } from '@awl/wire';
import type { OfferAuth } from '../signal/messages.ts';
import {
  decodeAccessRecords,
  PEERS_MAX,
  PINS_MAX,
  TICKETS_MAX,
  TICKET_USES_MAX,
  type AccessRecords,
  type RememberedPeer,
  type TicketRecord,
} from './access-records.ts';
import type { PasswordRecord } from './pairing/index.ts';
import { sameText } from './same-text.ts';
import { ticketProof } from './ticket-proof.ts';

/** Where the records stay: one JSON value, written whole. */
export interface AuthorizationStore {
  /** Undefined where nothing was saved. Rejects with `ERR_STORAGE`. */
  load(): Promise<JsonValue | undefined>;
  /** Rejects with `ERR_STORAGE`. */
  save(value: JsonValue): Promise<void>;
}

/** Leave to connect. */
export interface Grant {
  readonly peerId: string;
  readonly by: 'ticket' | 'password' | 'remembered';
  /** The ticket's id, for `by: 'ticket'`. */
  readonly ticket?: string;
}

export interface AuthorizationRequest {
  readonly peerId: string;
  readonly selfId: string;
  readonly attemptId: string;
  readonly auth: OfferAuth;
}

export interface AuthorizationOptions {
  readonly store: AuthorizationStore;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch: tickets and rules outlive the process. */
  readonly wallClock: () => number;
}

/** A pairing's proof is shown within this time. */
const PROOF_MS = 120_000;
const PROOFS_MAX = 64;
/** So long after its end a ticket is still told to be expired, and not unknown. */
const EXPIRED_KEPT_MS = 7 * 86_400_000;

/** Who may connect, to what, till when. */
export class Authorization {
  readonly #options: AuthorizationOptions;
  readonly #records: AccessRecords;
  readonly #proofs = new Map<string, { readonly proof: string; readonly at: number }>();
  #saving: Promise<void> = Promise.resolve();
  /** Called when a ticket or a peer lost its leave before its time: what was granted by it has to end. */
  onRevoked: ((lost: { readonly ticket: string } | { readonly peerId: string }) => void) | null = null;

  private constructor(options: AuthorizationOptions, records: AccessRecords) {
    this.#options = options;
    this.#records = records;
  }

  /** Loads the records. Rejects with `ERR_STORAGE`. */
  static async open(options: AuthorizationOptions): Promise<Authorization> {
    return new Authorization(options, decodeAccessRecords(await options.store.load()));
  }

  /**
   * Decides on an offer. Rejects with `ERR_TICKET_EXPIRED`, `ERR_TICKET_REVOKED`, `ERR_AUTH_PASSWORD` or `ERR_AUTH_REFUSED`; but a remembered
   * peer gets in whatever it shows.
   */
  async authorize(request: AuthorizationRequest): Promise<Grant> {
    const grant = await this.#judge(request);
    if (!(grant instanceof AwlError)) return grant;
    if (this.#remembered(request.peerId)) return { peerId: request.peerId, by: 'remembered' };
    throw grant;
  }

  async #judge(request: AuthorizationRequest): Promise<Grant | AwlError> {
    const { peerId, auth } = request;
    if (auth.by === 'ticket') return this.#judgeTicket(request, auth);
    if (auth.by === 'remembered') return new AwlError('ERR_AUTH_REFUSED');
    const paired = this.#proofs.get(peerId);
    this.#proofs.delete(peerId);
    const fresh = paired !== undefined && this.#options.clock.now() - paired.at < PROOF_MS;
    return fresh && sameText(paired.proof, auth.proof)
      ? { peerId, by: 'password' }
      : new AwlError('ERR_AUTH_PASSWORD');
  }

  async #judgeTicket(
    { peerId, selfId, attemptId }: AuthorizationRequest,
    auth: Extract<OfferAuth, { by: 'ticket' }>,
  ): Promise<Grant | AwlError> {
    const ticket = this.#ticket(auth.ticket);
    // The id is a hash of the secret: it tells a guesser nothing.
    if (!ticket) return new AwlError('ERR_TICKET_REVOKED');
    const proof = ticketProof(Buffer.from(ticket.secret, 'base64url'), {
      attemptId,
      offererId: peerId,
      answererId: selfId,
    });
    if (!sameText(proof, auth.proof)) return new AwlError('ERR_AUTH_REFUSED');
    if (this.#expired(ticket.expiresAt)) return new AwlError('ERR_TICKET_EXPIRED');
    if (ticket.uses !== undefined && !ticket.usedBy.includes(peerId)) {
      if (ticket.usedBy.length >= ticket.uses)
        return new AwlError('ERR_TICKET_REVOKED', 'The ticket is used up.');
      ticket.usedBy.push(peerId);
      await this.#save();
    }
    return { peerId, by: 'ticket', ticket: ticket.id };
  }

  /** Whether a grant still holds, for this share: asked for each stream. */
  allows(grant: Grant, share: string): boolean {
    const peer = this.#remembered(grant.peerId);
    if (peer && (peer.shares === undefined || peer.shares.includes(share))) return true;
    const ticket = grant.ticket === undefined ? undefined : this.#ticket(grant.ticket);
    if (!ticket || this.#expired(ticket.expiresAt)) return false;
    return ticket.share === undefined || ticket.share === share;
  }

  /** When a grant ends by itself, milliseconds since the Unix epoch; 0 where it ended; undefined where it does not. */
  endsAt(grant: Grant): number | undefined {
    const peer = this.#remembered(grant.peerId);
    const ticket = grant.ticket === undefined ? undefined : this.#ticket(grant.ticket);
    const end = Math.max(peer ? (peer.until ?? Infinity) : 0, ticket ? (ticket.expiresAt ?? Infinity) : 0);
    return end === Infinity ? undefined : end;
  }

  /** Makes the secret of a new ticket. Rejects with `ERR_USAGE` when there are too many, `ERR_STORAGE`. */
  async addTicket(
    random: Pick<Random, 'bytes'>,
    rule: { readonly share?: string; readonly expiresAtMs?: number; readonly uses?: number } = {},
  ): Promise<{ readonly id: string; readonly secret: Buffer }> {
    const { tickets } = this.#records;
    const long = this.#options.wallClock() - EXPIRED_KEPT_MS;
    this.#records.tickets = tickets.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > long);
    // Told to be expired a little less long, before a new one is refused.
    if (this.#records.tickets.length >= TICKETS_MAX)
      this.#records.tickets = this.#records.tickets.filter(({ expiresAt }) => !this.#expired(expiresAt));
    if (this.#records.tickets.length >= TICKETS_MAX) {
      throw new AwlError('ERR_USAGE', `There are ${TICKETS_MAX} tickets already.`, {
        remedy: 'Remove shares that are no longer needed.',
      });
    }
    if (
      rule.uses !== undefined &&
      !(Number.isInteger(rule.uses) && rule.uses >= 1 && rule.uses <= TICKET_USES_MAX)
    ) {
      throw new AwlError('ERR_USAGE', `A ticket can be for 1 to ${TICKET_USES_MAX} peers.`);
    }
    const secret = Buffer.from(random.bytes(16));
    const ticket: TicketRecord = {
      id: ticketIdOf(secret),
      secret: secret.toString('base64url'),
      usedBy: [],
      ...(rule.share === undefined ? {} : { share: rule.share }),
      ...(rule.expiresAtMs === undefined ? {} : { expiresAt: rule.expiresAtMs }),
      ...(rule.uses === undefined ? {} : { uses: rule.uses }),
    };
    this.#records.tickets.push(ticket);
    await this.#save();
    return { id: ticket.id, secret };
  }

  /** Ends a ticket, and what was granted by it. */
  async revokeTicket(id: string): Promise<void> {
    if (!this.#ticket(id)) return;
    this.#records.tickets = this.#records.tickets.filter((ticket) => ticket.id !== id);
    this.onRevoked?.({ ticket: id });
    await this.#save();
  }

  /** Ends all tickets of a share. */
  async revokeShare(share: string): Promise<void> {
    for (const ticket of this.#records.tickets)
      if (ticket.share === share) await this.revokeTicket(ticket.id);
  }

  /** A peer has proved the password: it is remembered, and may show `proof` in the offer that follows. */
  async paired(peerId: string, proof: string, name?: string): Promise<void> {
    const now = this.#options.clock.now();
    for (const [oldest, { at }] of this.#proofs) {
      if (this.#proofs.size < PROOFS_MAX && now - at < PROOF_MS) break;
      this.#proofs.delete(oldest);
    }
    this.#proofs.set(peerId, { proof, at: now });
    await this.remember({ peerId, ...(name === undefined ? {} : { name }) });
  }

  /** Lets a peer in by its key from now on. When too many are remembered, the oldest goes. */
  async remember(rule: Omit<RememberedPeer, 'since'>): Promise<void> {
    const others = this.#records.peers.filter(({ peerId }) => peerId !== rule.peerId);
    this.#records.peers = [...others, { ...rule, since: this.#options.wallClock() }].slice(-PEERS_MAX);
    await this.#save();
  }

  /** Forgets a peer, by id or name, and the names pinned to it. Returns the ids forgotten. */
  async forget(nameOrId: string): Promise<readonly string[]> {
    const { peers, pins } = this.#records;
    const named = [...peers, ...pins].filter(({ peerId, name }) => peerId === nameOrId || name === nameOrId);
    const ids = new Set(named.map(({ peerId }) => peerId));
    this.#records.peers = peers.filter(({ peerId }) => !ids.has(peerId));
    this.#records.pins = pins.filter(({ peerId, name }) => !ids.has(peerId) && name !== nameOrId);
    for (const peerId of ids) {
      this.#proofs.delete(peerId);
      this.onRevoked?.({ peerId });
    }
    await this.#save();
    return [...ids];
  }

  /** Peers that may connect by their key. */
  get peers(): readonly RememberedPeer[] {
    return this.#records.peers.filter(({ until }) => !this.#expired(until));
  }

  /** Throws `ERR_PEER_KEY_CHANGED` where this name was met at this rendezvous with another key. */
  checkName(rendezvous: string, name: string, peerId: string): void {
    const pin = this.#pin(rendezvous, name);
    if (pin && pin.peerId !== peerId) {
      throw new AwlError(
        'ERR_PEER_KEY_CHANGED',
        `${name} now has the key ${peerId}, and had ${pin.peerId}: someone may be posing as it.`,
      );
    }
  }

  /** Remembers a name's key, once the peer proved itself. Rejects with `ERR_PEER_KEY_CHANGED`, `ERR_STORAGE`. */
  async pinName(rendezvous: string, name: string, peerId: string): Promise<void> {
    this.checkName(rendezvous, name, peerId);
    if (this.#pin(rendezvous, name)) return;
    this.#records.pins = [
      ...this.#records.pins,
      { rendezvous, name, peerId, since: this.#options.wallClock() },
    ].slice(-PINS_MAX);
    await this.#save();
  }

  /** The record of this password; undefined where it has to be registered first. */
  passwordRecord(password: string): PasswordRecord | undefined {
    const stored = this.#records.password;
    return stored && sameText(stored.check, passwordCheck(stored.setup, password)) ? stored : undefined;
  }

  /** Keeps the record of the node's own password. Peers remembered stay so. */
  async setPassword(password: string, { setup, record }: PasswordRecord): Promise<void> {
    this.#records.password = { setup, record, check: passwordCheck(setup, password) };
    await this.#save();
  }

  #ticket(id: string): TicketRecord | undefined {
    return this.#records.tickets.find((ticket) => ticket.id === id);
  }

  #remembered(peerId: string): RememberedPeer | undefined {
    return this.#records.peers.find((peer) => peer.peerId === peerId && !this.#expired(peer.until));
  }

  #pin(rendezvous: string, name: string): AccessRecords['pins'][number] | undefined {
    return this.#records.pins.find((pin) => pin.rendezvous === rendezvous && pin.name === name);
  }

  #expired(end: number | undefined): boolean {
    return end !== undefined && end <= this.#options.wallClock();
  }

  /** One write after the other, each of the newest state. */
  #save(): Promise<void> {
    const save = (): Promise<void> => this.#options.store.save(structuredClone(this.#records));
    this.#saving = this.#saving.then(save, save);
    return this.#saving;
  }
}

/** A fast hash: the password itself stands in the configuration beside these records, so whoever has the one has the other. */
function passwordCheck(setup: string, password: string): string {
  return createHmac('sha256', setup).update(`awl password check v1\0${password}`).digest('base64url');
}
