import type { Clock, JsonValue } from '@awl/api';
import { toAwlError } from '@awl/wire';
import type { EngineCore } from './core.ts';
import type { PublicIdentity } from './security/identity.ts';
import { PairingClient, PairingServer, type PairingWorker } from './security/pairing/index.ts';
import { PasswordLimiter } from './security/password-limiter.ts';
import { newAttemptId } from './security/seal.ts';
import { decodePair1, decodePair2, decodePair3, decodePair4 } from './signal/messages.ts';
import type { Conversation, Courier } from './signal/mailbox.ts';

/** Argon2 takes a second on a small machine, on each side. */
const REPLY_TIMEOUT_MS = 15_000;

/** Pairing by password, both sides: four sealed messages, after which the peer is remembered (PAKE; see security/pairing). */
export class Pairing {
  readonly #core: EngineCore;
  readonly #worker: PairingWorker;
  readonly #server: PairingServer;

  constructor(core: EngineCore, worker: PairingWorker, password: () => string | undefined, clock: Clock) {
    this.#core = core;
    this.#worker = worker;
    this.#server = new PairingServer({
      worker,
      clock,
      peerId: core.identity.peerId,
      limiter: new PasswordLimiter(clock),
      password: () => {
        const own = password();
        return own === undefined ? undefined : core.authorization.passwordRecord(own);
      },
    });
  }

  /** Proves that the user knows the peer's password. Rejects with `ERR_AUTH_PASSWORD`, `ERR_AUTH_RATE_LIMITED`, `ERR_SIGNAL_…`. */
  async prove(
    peer: PublicIdentity,
    password: string,
    courier: Courier,
    signal: AbortSignal,
  ): Promise<string> {
    const attemptId = newAttemptId(this.#core.random);
    using conversation = this.#core.mailbox.begin(peer, attemptId, courier);
    const client = new PairingClient(this.#worker, {
      attemptId,
      serverId: peer.peerId,
      clientId: this.#core.identity.peerId,
    });
    const first = await conversation.send('pair-1', asJson(await client.start(password, signal)));
    const second = await conversation.next('pair-2', {
      previousHash: first.hash,
      timeoutMs: REPLY_TIMEOUT_MS,
      signal,
    });
    const third = await conversation.send(
      'pair-3',
      asJson(await client.finish(decodePair2(second.body), signal)),
      second.hash,
    );
    const fourth = await conversation.next('pair-4', {
      previousHash: third.hash,
      timeoutMs: REPLY_TIMEOUT_MS,
      signal,
    });
    return client.confirm(decodePair4(fourth.body)).proof;
  }

  /** Answers a peer that wants to pair. What goes wrong is told to the peer, and logged. */
  async answer(conversation: Conversation, signal: AbortSignal): Promise<void> {
    using _ = conversation;
    const { peerId } = conversation.peer;
    const from = {
      peerId,
      attemptId: conversation.attemptId,
      known: this.#core.authorization.peers.some((peer) => peer.peerId === peerId),
    };
    let reply: 'pair-2' | 'pair-4' = 'pair-2';
    let previousHash: string | undefined;
    try {
      const first = await conversation.next('pair-1', { timeoutMs: 1000, signal });
      previousHash = first.hash;
      const second = await conversation.send(
        'pair-2',
        asJson(await this.#server.start(from, decodePair1(first.body), signal)),
        first.hash,
      );
      const third = await conversation.next('pair-3', {
        previousHash: second.hash,
        timeoutMs: REPLY_TIMEOUT_MS,
        signal,
      });
      [reply, previousHash] = ['pair-4', third.hash];
      const { body, proof } = await this.#server.finish(from, decodePair3(third.body), signal);
      await this.#core.authorization.paired(peerId, proof);
      await conversation.send('pair-4', asJson(body), third.hash);
      this.#core.log.info(`peer ${peerId.slice(0, 8)} proved the password and is remembered`);
    } catch (error) {
      const failure = toAwlError(error);
      const retryAfterMs =
        'retryAfterMs' in failure && typeof failure.retryAfterMs === 'number'
          ? { retryAfterMs: failure.retryAfterMs }
          : {};
      await conversation
        .send(
          reply,
          { outcome: 'refused', code: failure.code, reason: failure.message.slice(0, 300), ...retryAfterMs },
          previousHash,
        )
        .catch(() => {});
      this.#core.log.warn(`peer ${peerId.slice(0, 8)} could not pair: ${failure.message}`);
    }
  }
}

function asJson(body: object): JsonValue {
  return body as unknown as JsonValue;
}
