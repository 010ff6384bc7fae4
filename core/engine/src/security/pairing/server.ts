import type { Clock } from '@awl/api';
import { AwlError } from '@awl/wire';
import type { Pair1Body, Pair2Body, Pair3Body, Pair4Body } from '../../signal/messages.ts';
import type { PasswordLimiter } from '../password-limiter.ts';
import { sameText } from '../same-text.ts';
import { confirmation, type PairingBinding } from './confirmation.ts';
import { normalizePassword } from './password.ts';
import type { PairingWorker } from './worker.ts';

/** What is kept of a password: enough to check it, not to know it. Both base64url. */
export interface PasswordRecord {
  readonly setup: string;
  readonly record: string;
}

/** Registers this node's own password, which takes a second. */
export async function registerPassword(
  worker: PairingWorker,
  options: { readonly password: string; readonly peerId: string; readonly signal?: AbortSignal },
): Promise<PasswordRecord> {
  const params = { password: normalizePassword(options.password), serverId: options.peerId };
  return worker.run('register', params, options.signal);
}

/** Pairings between their second and third message; the oldest go first. */
const OPEN_MAX = 64;
const OPEN_MS = 60_000;

interface OpenPairing {
  readonly attemptId: string;
  readonly state: string;
  readonly at: number;
}

export interface PairingServerOptions {
  readonly worker: PairingWorker;
  readonly clock: Clock;
  readonly peerId: string;
  readonly limiter: PasswordLimiter;
  /** The current password's record; undefined where there is none, so nobody can pair. */
  readonly password: () => PasswordRecord | undefined;
}

/** The side whose password it is, for all who try. */
export class PairingServer {
  readonly #options: PairingServerOptions;
  /** One per peer: a new start forgets the one before. */
  readonly #open = new Map<string, OpenPairing>();

  constructor(options: PairingServerOptions) {
    this.#options = options;
  }

  /**
   * Answers the first message. Every call counts against the limits, whatever comes of it.
   * Rejects with `ERR_AUTH_RATE_LIMITED` (a `RateLimitedError`), `ERR_AUTH_REFUSED`, `ERR_WIRE_MALFORMED`.
   */
  async start(
    from: { readonly peerId: string; readonly known: boolean; readonly attemptId: string },
    { request }: Pair1Body,
    signal?: AbortSignal,
  ): Promise<Pair2Body> {
    const { limiter, worker, clock, peerId, password } = this.#options;
    limiter.count(from.peerId, from.known);
    const record = password();
    if (!record) throw new AwlError('ERR_AUTH_REFUSED', 'This peer has no password to connect with.');
    const login = await worker.run('serverStart', { ...record, request, serverId: peerId }, signal);
    if (!login) throw new AwlError('ERR_WIRE_MALFORMED', 'The pairing message could not be read.');
    this.#open.delete(from.peerId);
    for (const [oldest, { at }] of this.#open) {
      if (this.#open.size < OPEN_MAX && clock.now() - at < OPEN_MS) break;
      this.#open.delete(oldest);
    }
    this.#open.set(from.peerId, { attemptId: from.attemptId, state: login.state, at: clock.now() });
    return { outcome: 'accepted', response: login.response };
  }

  /**
   * Answers the third message, once: the peer is paired when this resolves, and may show `proof` in its offer.
   * Rejects with `ERR_AUTH_PASSWORD`.
   */
  async finish(
    from: { readonly peerId: string; readonly attemptId: string },
    message: Pair3Body,
    signal?: AbortSignal,
  ): Promise<{ readonly body: Pair4Body; readonly proof: string }> {
    const { worker, clock, peerId } = this.#options;
    const open = this.#open.get(from.peerId);
    this.#open.delete(from.peerId);
    if (!open || open.attemptId !== from.attemptId || clock.now() - open.at >= OPEN_MS) {
      throw new AwlError('ERR_AUTH_PASSWORD', 'There is no pairing under way with this peer.');
    }
    const login = await worker.run(
      'serverFinish',
      { state: open.state, finish: message.finish, serverId: peerId },
      signal,
    );
    const binding: PairingBinding = { attemptId: from.attemptId, serverId: peerId, clientId: from.peerId };
    if (!login || !sameText(message.confirmation, confirmation(login.sessionKey, 'client', binding))) {
      throw new AwlError('ERR_AUTH_PASSWORD');
    }
    return {
      body: { outcome: 'accepted', confirmation: confirmation(login.sessionKey, 'server', binding) },
      proof: confirmation(login.sessionKey, 'offer', binding),
    };
  }
}
