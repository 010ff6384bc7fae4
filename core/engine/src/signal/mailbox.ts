import { delay, type Clock, type JsonValue, type Random } from '@awl/api';
import { AwlError } from '@awl/wire';
import { verifyPublicIdentity, type Identity, type PublicIdentity } from '../security/identity.ts';
import { ReplayGuard } from '../security/replay-guard.ts';
import {
  checkExpected,
  openMessage,
  sealMessage,
  type OpenedMessage,
  type SealedMessage,
} from '../security/seal.ts';
import type { PeerRecord, Rendezvous } from './rendezvous.ts';
import type { SignalKind } from './schemas.ts';

/** Exchanges that may be going on at once; beyond, strangers' openings are dropped. */
const CONVERSATIONS_MAX = 256;
/** Messages of one exchange that nobody has read yet. */
const INBOX_MAX = 64;
/** What a peer may begin. */
const OPENING_KINDS: ReadonlySet<SignalKind> = new Set(['offer', 'pair-1']);

/** Carries sealed messages: a rendezvous, or an existing session. */
export type Courier = Pick<Rendezvous, 'send'>;

/** The sealed messages of one attempt with one peer. */
export interface Conversation extends Disposable {
  readonly peer: PublicIdentity;
  readonly attemptId: string;
  /** Where the rendezvous sees the peer, if it says so: evidence that the peer is there. */
  readonly observedAddress: string | undefined;
  /** Seals and sends. Rejects with `ERR_PEER_OFFLINE`, `ERR_RENDEZVOUS_…`, `ERR_WIRE_TOO_LARGE`. */
  send(kind: SignalKind, body: JsonValue, previousHash?: string): Promise<SealedMessage>;
  /** The next message of this kind. Rejects with `ERR_SIGNAL_TIMEOUT`, `ERR_SIGNAL_INVALID`, or the signal's reason. */
  next(
    kind: SignalKind,
    options: { readonly previousHash?: string; readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<OpenedMessage & { readonly receivedAt: number }>;
  /** Takes every message of this kind that comes, instead of keeping it for `next`. */
  onMessage(kind: SignalKind, listener: (message: OpenedMessage) => void): void;
}

type Received = OpenedMessage & { readonly receivedAt: number };

/** Opens what arrives, refuses what is forged or replayed, and sorts it by attempt. */
export class Mailbox {
  readonly #identity: Identity;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #replays: ReplayGuard;
  readonly #conversations = new Map<string, OpenConversation>();
  /** A peer began an exchange; the message waits in the conversation. The receiver disposes it. */
  onOpening: ((kind: SignalKind, conversation: Conversation) => void) | null = null;
  /** A message was refused. */
  onRefused: ((error: AwlError, from: string) => void) | null = null;
  onReceived: ((peer: string, kind: SignalKind, sizeBytes: number) => void) | null = null;

  constructor(identity: Identity, clock: Clock, random: Random) {
    this.#identity = identity;
    this.#clock = clock;
    this.#random = random;
    this.#replays = new ReplayGuard(clock);
  }

  /** Begins an exchange with a peer. */
  begin(peer: PublicIdentity, attemptId: string, courier: Courier, observedAddress?: string): Conversation {
    return this.#open(peer, attemptId, courier, observedAddress);
  }

  /** Takes a sealed message as a courier brought it. */
  receive(from: PeerRecord, sealed: string, courier: Courier): void {
    try {
      const peer = verifyPublicIdentity(from);
      if (!peer)
        throw new AwlError(
          'ERR_SIGNAL_INVALID',
          'The rendezvous named a peer with keys that are not its own.',
        );
      const message: Received = {
        ...openMessage(this.#identity, peer, sealed),
        receivedAt: this.#clock.now(),
      };
      if (!this.#replays.accept(message.hash))
        throw new AwlError('ERR_SIGNAL_INVALID', 'A signalling message came twice.');
      this.onReceived?.(peer.peerId, message.kind, sealed.length);
      this.#sort(peer, message, courier, from.observedAddress);
    } catch (error) {
      if (!(error instanceof AwlError)) throw error;
      this.onRefused?.(error, from.peerId);
    }
  }

  #sort(peer: PublicIdentity, message: Received, courier: Courier, observedAddress?: string): void {
    const known = this.#conversations.get(`${peer.peerId} ${message.attemptId}`);
    if (known) return known.deliver(message);
    if (!OPENING_KINDS.has(message.kind) || !this.onOpening) return;
    checkExpected(message, { previousHash: null });
    if (this.#conversations.size >= CONVERSATIONS_MAX)
      throw new AwlError('ERR_SIGNAL_INVALID', 'Too many peers signal at once; this one was not heard.');
    const conversation = this.#open(peer, message.attemptId, courier, observedAddress);
    conversation.deliver(message);
    this.onOpening(message.kind, conversation);
  }

  #open(
    peer: PublicIdentity,
    attemptId: string,
    courier: Courier,
    observedAddress?: string,
  ): OpenConversation {
    const key = `${peer.peerId} ${attemptId}`;
    const conversation = new OpenConversation({
      peer,
      attemptId,
      observedAddress,
      clock: this.#clock,
      send: async (message) => {
        const sealed = sealMessage({
          from: this.#identity,
          to: peer,
          attemptId,
          random: this.#random,
          ...message,
        });
        await courier.send(peer.peerId, sealed.sealed);
        return sealed;
      },
      onDisposed: () => this.#conversations.delete(key),
    });
    this.#conversations.set(key, conversation);
    return conversation;
  }
}

interface ConversationParts {
  readonly peer: PublicIdentity;
  readonly attemptId: string;
  readonly observedAddress: string | undefined;
  readonly clock: Clock;
  readonly send: (message: {
    kind: SignalKind;
    body: JsonValue;
    previousHash?: string;
  }) => Promise<SealedMessage>;
  readonly onDisposed: () => void;
}

class OpenConversation implements Conversation {
  readonly peer: PublicIdentity;
  readonly attemptId: string;
  readonly observedAddress: string | undefined;
  readonly #parts: ConversationParts;
  readonly #inbox: Received[] = [];
  readonly #listeners = new Map<SignalKind, (message: OpenedMessage) => void>();
  #wake: (() => void) | undefined;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
    this.peer = parts.peer;
    this.attemptId = parts.attemptId;
    this.observedAddress = parts.observedAddress;
  }

  send(kind: SignalKind, body: JsonValue, previousHash?: string): Promise<SealedMessage> {
    return this.#parts.send({ kind, body, ...(previousHash === undefined ? {} : { previousHash }) });
  }

  async next(
    kind: SignalKind,
    {
      previousHash,
      timeoutMs,
      signal,
    }: { readonly previousHash?: string; readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<Received> {
    const done = new AbortController();
    const timeout = delay(this.#parts.clock, timeoutMs, AbortSignal.any([signal, done.signal])).then(() => {
      throw new AwlError(
        'ERR_SIGNAL_TIMEOUT',
        `The other side did not send its ${kind} within ${Math.round(timeoutMs / 1000)} s.`,
      );
    });
    timeout.catch(() => {});
    try {
      for (;;) {
        const index = this.#inbox.findIndex((message) => message.kind === kind);
        if (index >= 0) {
          const [message] = this.#inbox.splice(index, 1);
          checkExpected(message!, { kind, ...(previousHash === undefined ? {} : { previousHash }) });
          return message!;
        }
        const woken = Promise.withResolvers<void>();
        this.#wake = woken.resolve;
        await Promise.race([woken.promise, timeout]);
      }
    } finally {
      this.#wake = undefined;
      done.abort();
    }
  }

  onMessage(kind: SignalKind, listener: (message: OpenedMessage) => void): void {
    this.#listeners.set(kind, listener);
    for (const message of this.#inbox.filter((waiting) => waiting.kind === kind)) {
      this.#inbox.splice(this.#inbox.indexOf(message), 1);
      listener(message);
    }
  }

  deliver(message: Received): void {
    const listener = this.#listeners.get(message.kind);
    if (listener) return listener(message);
    if (this.#inbox.length >= INBOX_MAX) return;
    this.#inbox.push(message);
    this.#wake?.();
  }

  [Symbol.dispose](): void {
    this.#parts.onDisposed();
  }
}
