import type { Clock, Endpoint, Random } from '@awl/api';
import { AwlError, encodeStun, type ChangeRequest, type StunMessage } from '@awl/wire';

/** When a request is repeated, milliseconds after the one before: RFC 8489 §6.2.1, with a start that suits measured networks. */
const REPEAT_MS = [150, 250, 400, 600, 600];
/** Requests are padded to this, so that the server's answer is no larger (no amplification). */
const REQUEST_BYTES = 112;

export interface QueryOptions {
  readonly change?: ChangeRequest;
  readonly signal?: AbortSignal;
  /** Gives up after this long; default 2 s. */
  readonly timeoutMs?: number;
}

/** What an answer says. */
export interface StunAnswer {
  readonly mapped: Endpoint;
  readonly from: Endpoint;
  readonly other?: Endpoint;
  readonly rttMs: number;
}

/** STUN transactions of one UDP socket with servers. Not authenticated: who is on the path can lie, as with any STUN. */
export class StunQueries {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #transmit: (bytes: Uint8Array, to: Endpoint) => void;
  readonly #waiting = new Map<string, (message: StunMessage, from: Endpoint) => void>();

  constructor(clock: Clock, random: Random, transmit: (bytes: Uint8Array, to: Endpoint) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#transmit = transmit;
  }

  /** Asks until an answer comes. Rejects with `ERR_NAT_UNREACHABLE`, or the signal's reason. */
  query(server: Endpoint, { change, signal, timeoutMs = 2000 }: QueryOptions = {}): Promise<StunAnswer> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const transactionId = Buffer.from(this.#random.bytes(12));
      const key = transactionId.toString('latin1');
      const bytes = encodeStun(
        { class: 'request', transactionId, ...(change ? { attributes: { changeRequest: change } } : {}) },
        { fingerprint: true, padToBytes: REQUEST_BYTES },
      );
      const startedAt = this.#clock.now();
      let tries = 0;
      let repeat: Disposable | undefined;
      const settle = (): void => {
        repeat?.[Symbol.dispose]();
        limit[Symbol.dispose]();
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(key);
      };
      const onAbort = (): void => {
        settle();
        reject(signal?.reason);
      };
      const limit = this.#clock.schedule(timeoutMs, () => {
        settle();
        reject(
          new AwlError(
            'ERR_NAT_UNREACHABLE',
            `no STUN answer from ${server.address}:${server.port} within ${timeoutMs} ms`,
          ),
        );
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(key, (message, from) => {
        const mapped = message.attributes.xorMappedAddress ?? message.attributes.mappedAddress;
        if (message.class !== 'response' || !mapped) return;
        settle();
        const other = message.attributes.otherAddress;
        resolve({
          mapped,
          from: { address: from.address, port: from.port },
          ...(other ? { other } : {}),
          rttMs: this.#clock.now() - startedAt,
        });
      });
      const turn = (): void => {
        this.#transmit(bytes, server);
        const waitMs = REPEAT_MS[tries++];
        if (waitMs !== undefined) repeat = this.#clock.schedule(waitMs, turn);
      };
      turn();
    });
  }

  /** True when the message belongs to a waiting query. */
  receive(message: StunMessage, from: Endpoint): boolean {
    const waiting = this.#waiting.get(message.transactionId.toString('latin1'));
    waiting?.(message, from);
    return waiting !== undefined;
  }

  get size(): number {
    return this.#waiting.size;
  }
}
