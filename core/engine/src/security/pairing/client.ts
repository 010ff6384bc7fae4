import { AwlError } from '@awl/wire';
import type { Pair1Body, Pair2Body, Pair3Body, Pair4Body } from '../../signal/messages.ts';
import { sameText } from '../same-text.ts';
import { confirmation, type PairingBinding } from './confirmation.ts';
import { normalizePassword } from './password.ts';
import type { PairingWorker } from './worker.ts';

/** The side that typed the other's password: one object for one pairing. */
export class PairingClient {
  readonly #worker: PairingWorker;
  readonly #binding: PairingBinding;
  #password = '';
  #state = '';
  #sessionKey = '';

  constructor(worker: PairingWorker, binding: PairingBinding) {
    this.#worker = worker;
    this.#binding = binding;
  }

  /** The first message. */
  async start(password: string, signal?: AbortSignal): Promise<Pair1Body> {
    this.#password = normalizePassword(password);
    const { state, request } = await this.#worker.run('clientStart', { password: this.#password }, signal);
    this.#state = state;
    return { request };
  }

  /** The third message. Rejects with `ERR_AUTH_PASSWORD`, or with the code of the other side's refusal. */
  async finish(reply: Pair2Body, signal?: AbortSignal): Promise<Pair3Body> {
    if (reply.outcome === 'refused') throw new AwlError(reply.code, reply.reason);
    const login = await this.#worker.run(
      'clientFinish',
      {
        password: this.#password,
        state: this.#state,
        response: reply.response,
        serverId: this.#binding.serverId,
      },
      signal,
    );
    // A message out of place is no different from a wrong password: both open nothing.
    if (!login) throw new AwlError('ERR_AUTH_PASSWORD');
    this.#sessionKey = login.sessionKey;
    return { finish: login.finish, confirmation: confirmation(login.sessionKey, 'client', this.#binding) };
  }

  /**
   * Checks the fourth message: the other side knows the same key, and means the same two peers. Returns the proof for the offer.
   * Throws `ERR_AUTH_PASSWORD`, or the code of the other side's refusal.
   */
  confirm(reply: Pair4Body): { readonly proof: string } {
    if (reply.outcome === 'refused') throw new AwlError(reply.code, reply.reason);
    const expected = this.#sessionKey === '' ? '' : confirmation(this.#sessionKey, 'server', this.#binding);
    if (expected === '' || !sameText(reply.confirmation, expected)) {
      throw new AwlError('ERR_AUTH_PASSWORD', 'The other side did not prove that it knows the password.');
    }
    return { proof: confirmation(this.#sessionKey, 'offer', this.#binding) };
  }
}
