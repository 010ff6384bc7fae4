import type { Duplex } from 'node:stream';
import type { Clock, Endpoint, Lease } from '@awl/api';
import { stunStreamReader } from '@awl/wire';
import type { CheckAgent, Punched } from './check-agent.ts';
import type { TcpStream } from './network.ts';

/** How long a connection may take to prove that the peer is at its other end. */
const CHECK_TIMEOUT_MS = 5000;

/**
 * A TCP connection on which checks are made before anything else (RFC 6544 §7). Valid once our check was answered and the peer's was
 * answered by us: so after a nomination nothing of this is left on the way, and the stream belongs to TLS.
 */
export class CheckedStream implements Punched {
  readonly lease: Lease;
  readonly remote: Endpoint;
  readonly #tcp: TcpStream;
  readonly #agent: CheckAgent;
  readonly #clock: Clock;
  readonly #reader = stunStreamReader();
  readonly #limit: Disposable;
  readonly #onEnd: (stream: CheckedStream) => void;
  readonly #sentAt: number;
  readonly #request: Buffer;
  #nomination: { readonly transactionId: Buffer; readonly done: () => void } | undefined;
  #answered = false;
  #answering = false;
  #rttMs = 0;
  #state: 'checking' | 'valid' | 'nominated' | 'detached' | 'closed' = 'checking';

  constructor(
    tcp: TcpStream,
    lease: Lease,
    agent: CheckAgent,
    clock: Clock,
    onEnd: (stream: CheckedStream) => void,
  ) {
    this.#tcp = tcp;
    this.lease = lease;
    this.remote = tcp.remote;
    this.#agent = agent;
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#sentAt = clock.now();
    this.#limit = clock.schedule(CHECK_TIMEOUT_MS, () => this.#state === 'checking' && this.close());
    tcp.stream.on('data', this.#onData);
    tcp.stream.on('close', this.#onClose);
    tcp.stream.on('end', this.#onClose);
    tcp.stream.on('error', this.#onClose);
    const { transactionId, bytes } = agent.streamRequest(false);
    this.#request = transactionId;
    tcp.stream.write(bytes);
  }

  nominate(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      if (signal.aborted || this.#state !== 'valid')
        return reject(signal.reason ?? new Error('the connection is gone'));
      const { transactionId, bytes } = this.#agent.streamRequest(true);
      this.#nomination = {
        transactionId,
        done: () => {
          signal.removeEventListener('abort', onAbort);
          this.#state = 'nominated';
          this.#tcp.stream.pause();
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#tcp.stream.write(bytes);
    });
  }

  /** The stream itself, from the first byte after the checks on. Only after a nomination. */
  detach(): Duplex {
    this.#state = 'detached';
    this.#forget();
    return this.#tcp.stream;
  }

  get usable(): boolean {
    return this.#state !== 'closed' && this.#state !== 'detached';
  }

  close(): void {
    if (!this.usable) return;
    this.#state = 'closed';
    this.#forget();
    this.#tcp.stream.on('error', () => {});
    this.#tcp.stream.destroy();
  }

  #forget(): void {
    const { stream } = this.#tcp;
    this.#limit[Symbol.dispose]();
    stream.off('data', this.#onData);
    stream.off('close', this.#onClose);
    stream.off('end', this.#onClose);
    stream.off('error', this.#onClose);
    this.#onEnd(this);
  }

  readonly #onClose = (): void => this.close();

  readonly #onData = (chunk: Buffer): void => {
    let rest = chunk;
    // Message by message: what follows a nomination is TLS and must not meet the reader.
    while (rest.length > 0 && (this.#state === 'checking' || this.#state === 'valid')) {
      const sizeBytes =
        this.#reader.pendingBytes === 0 && rest.length >= 4 ? rest.readUInt16BE(2) + 20 : rest.length;
      const piece = rest.subarray(0, sizeBytes);
      rest = rest.subarray(sizeBytes);
      if (!this.#reader.push(piece, (message) => this.#onMessage(message))) return this.close();
    }
    if (rest.length > 0 && this.#state === 'nominated') this.#tcp.stream.unshift(rest);
  };

  #onMessage(bytes: Buffer): void {
    const message = this.#agent.authenticate(bytes);
    if (!message) return this.close();
    this.#agent.onAuthenticated?.(this.remote);
    if (message.class === 'request') {
      this.#tcp.stream.write(this.#agent.answer(message, this.remote));
      this.#answering = true;
      if (message.attributes.useCandidate && this.#agent.role === 'controlled') {
        this.#state = 'nominated';
        this.#tcp.stream.pause();
        this.#agent.onNominated?.(this);
        return;
      }
    } else if (message.class === 'response' && message.transactionId.equals(this.#request)) {
      this.#answered = true;
      this.#rttMs = this.#clock.now() - this.#sentAt;
    } else if (this.#nomination && message.transactionId.equals(this.#nomination.transactionId)) {
      this.#nomination.done();
      return;
    }
    if (this.#state === 'checking' && this.#answered && this.#answering) {
      this.#state = 'valid';
      this.#limit[Symbol.dispose]();
      this.#agent.onValid?.(
        { punched: this, lease: this.lease, remote: this.remote, rttMs: this.#rttMs },
        true,
      );
    }
  }
}
