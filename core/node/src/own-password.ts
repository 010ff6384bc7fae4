import { PairingWorker, realClock, registerPassword, type Authorization } from '@awl/engine';

/** This node's own password, which others pair with. */
export class OwnPassword {
  readonly #authorization: Authorization;
  readonly #peerId: string;
  #current: string;

  constructor(authorization: Authorization, peerId: string, password: string) {
    this.#authorization = authorization;
    this.#peerId = peerId;
    this.#current = password;
  }

  get current(): string {
    return this.#current;
  }

  /** Makes the record that pairing needs, unless it is there. It takes a second of a core, in a thread of its own. */
  async use(password: string, signal?: AbortSignal): Promise<void> {
    if (!this.#authorization.passwordRecord(password)) {
      using worker = new PairingWorker(realClock);
      const record = await registerPassword(worker, {
        password,
        peerId: this.#peerId,
        ...(signal ? { signal } : {}),
      });
      await this.#authorization.setPassword(password, record);
    }
    this.#current = password;
  }
}
