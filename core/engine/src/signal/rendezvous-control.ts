import { familyOf, type Clock, type Endpoint } from '@awl/api';
import {
  ACCESS_EXPORTER_BYTES,
  accessProof,
  AwlError,
  encodeFrame,
  FrameReader,
  formatIp,
  parseIp,
  parseServerMessage,
  peerIdOf,
  RENDEZVOUS_ALPN,
  RENDEZVOUS_EXPORTER,
  RENDEZVOUS_VERSION,
  type ClientMessage,
  type HelloMessage,
  type PeerEntry,
  type RendezvousUrl,
  type ServerMessage,
  type WelcomeMessage,
} from '@awl/wire';
import type { Identity } from '../security/identity.ts';
import type { TlsConnection, TlsDialOptions } from '../socket/tls-dial.ts';
import type { Rendezvous } from './rendezvous.ts';
import { RendezvousError, serverError, unreachable } from './rendezvous-error.ts';

/** What of the node's identity a control connection needs. */
export type ControlIdentity = Pick<
  Identity,
  'keyPem' | 'certificatePem' | 'spki' | 'sealKey' | 'sealSignature'
>;

export interface ControlOptions {
  readonly url: RendezvousUrl;
  readonly identity: ControlIdentity;
  readonly name?: string;
  readonly accessKey?: string;
  /** Another fingerprint is refused: that of the URL, or the one remembered. */
  readonly knownFingerprint: string | undefined;
  readonly dial: (options: TlsDialOptions) => Promise<TlsConnection>;
  readonly clock: Clock;
  /** Ends connecting; no part of the connection's later life. */
  readonly signal: AbortSignal;
  readonly events: {
    signal(from: PeerEntry, sealed: string): void;
    presence(peer: PeerEntry): void;
    /** Every peer that is online has been told. */
    listed(): void;
    /** A ping was answered. */
    rtt(rttMs: number): void;
  };
}

type Request = Exclude<ClientMessage, HelloMessage>;
type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;
type Answer = Extract<ServerMessage, { readonly type: 'found' | 'done' | 'pong' }>;

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: Disposable;
}

const MAX_PENDING = 256;
const ANSWER_TIMEOUT_MS = 10_000;
/** Pings per lifetime: two may be lost. */
const PINGS_PER_LIFETIME = 3;
/** Connects, checks the server's key, and registers. Rejects with `ERR_RENDEZVOUS_…`, `ERR_NAME_…`, `ERR_WIRE_…`, `ERR_TLS_PEER`. */
export async function connectControl(options: ControlOptions): Promise<RendezvousControl> {
  const { url, identity, knownFingerprint, signal } = options;
  const { host, port } = url;
  const { keyPem, certificatePem } = identity;
  const connection = await options.dial({
    host,
    port,
    alpn: RENDEZVOUS_ALPN,
    keyPem,
    certificatePem,
    signal,
  });
  try {
    const fingerprint = peerIdOf(connection.spki);
    // Before a byte is said: the access proof is for this server alone.
    if (knownFingerprint !== undefined && fingerprint !== knownFingerprint)
      throw new AwlError(
        url.fingerprint === undefined ? 'ERR_RENDEZVOUS_KEY_CHANGED' : 'ERR_RENDEZVOUS_KEY_MISMATCH',
        `${host} port ${port} shows the key ${fingerprint}, expected was ${knownFingerprint}.`,
      );
    const control = new RendezvousControl(connection, fingerprint, options);
    await control.hello(options, signal);
    return control;
  } catch (error) {
    connection.stream.destroy();
    throw error;
  }
}

/** One control connection. */
export class RendezvousControl implements Disposable {
  readonly fingerprint: string;
  /** From the hello to the welcome, milliseconds. */
  rttMs = 0;
  /** Resolves with the reason when the connection is gone. */
  readonly lost: Promise<RendezvousError>;
  readonly #connection: TlsConnection;
  readonly #clock: Clock;
  readonly #events: ControlOptions['events'];
  readonly #pending = new Map<number, Pending>();
  readonly #lose: (error: RendezvousError) => void;
  readonly #welcomed = Promise.withResolvers<WelcomeMessage>();
  #welcome: WelcomeMessage | undefined;
  #nextId = 0;
  #gone: RendezvousError | undefined;
  #pingTimer: Disposable | undefined;

  constructor(connection: TlsConnection, fingerprint: string, { clock, events }: ControlOptions) {
    this.fingerprint = fingerprint;
    this.#connection = connection;
    this.#clock = clock;
    this.#events = events;
    const { promise, resolve } = Promise.withResolvers<RendezvousError>();
    this.lost = promise;
    this.#lose = resolve;
    this.#welcomed.promise.catch(() => undefined);
    const reader = new FrameReader();
    const { stream } = connection;
    stream.setKeepAlive(true, 30_000);
    stream.setNoDelay(true);
    stream.on('data', (chunk: Buffer) =>
      reader.push(chunk, (value) => {
        const message = value.ok ? parseServerMessage(value.value) : value;
        if (message.ok) this.#receive(message.value);
        else this.#fail(new RendezvousError(message.code, `The rendezvous sent ${message.detail}.`));
      }),
    );
    stream.on('error', (error) => this.#fail(unreachable(`The connection broke: ${error.message}`)));
    stream.on('close', () => this.#fail(unreachable('The rendezvous closed the connection.')));
  }

  get welcome(): WelcomeMessage {
    if (!this.#welcome) throw new AwlError('ERR_INTERNAL', 'The rendezvous has not welcomed us yet.');
    return this.#welcome;
  }

  /** The endpoints of the welcome, IPv4 first, since NATs are there; those without an address are at the one that was reached. */
  get stun(): Rendezvous['stun'] {
    const reached = this.#connection.remoteAddress;
    const endpoints = (list: WelcomeMessage['stun']['udp']): Endpoint[] =>
      list
        .flatMap(({ address, port }) => {
          const bytes = parseIp(address ?? reached);
          return bytes ? [{ address: formatIp(bytes), port }] : [];
        })
        .sort((a, b) => familyOf(a) - familyOf(b));
    return { udp: endpoints(this.welcome.stun.udp), tcp: endpoints(this.welcome.stun.tcp) };
  }

  /** Says hello and waits for the welcome; then pings and watches. */
  async hello({ identity, name, accessKey }: ControlOptions, signal: AbortSignal): Promise<void> {
    const abort = (): void => this.#fail(signal.reason as RendezvousError);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const sentAtMs = this.#clock.now();
    const exporter = (): Buffer => this.#connection.exporter(RENDEZVOUS_EXPORTER, ACCESS_EXPORTER_BYTES);
    this.#write({
      type: 'hello',
      version: RENDEZVOUS_VERSION,
      features: [],
      spki: identity.spki.toString('base64url'),
      sealKey: identity.sealKey.toString('base64url'),
      sealSignature: identity.sealSignature.toString('base64url'),
      ...(name === undefined ? {} : { name }),
      ...(accessKey === undefined ? {} : { access: accessProof(accessKey, exporter()) }),
    });
    try {
      this.#welcome = await this.#welcomed.promise;
    } finally {
      signal.removeEventListener('abort', abort);
    }
    this.rttMs = this.#clock.now() - sentAtMs;
    if (this.#welcome.features.includes('watch'))
      this.request({ type: 'watch' }).then(this.#events.listed, () => undefined);
    this.#pingLater(this.#welcome.lifetimeMs / PINGS_PER_LIFETIME);
  }

  /** Asks, and waits for the answer. Rejects with the rendezvous' code, `ERR_RENDEZVOUS_UNREACHABLE`, or the signal's reason. */
  request(request: Unnumbered<Request>, signal?: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#gone) return reject(this.#gone);
      if (this.#pending.size >= MAX_PENDING)
        return reject(
          new RendezvousError('ERR_RENDEZVOUS_LIMIT', 'Too many requests wait for the rendezvous.', 1000),
        );
      const id = this.#nextId++;
      const settle = (): void => {
        this.#pending.delete(id);
        timer[Symbol.dispose]();
        signal?.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        settle();
        reject(signal?.reason);
      };
      const timer = this.#clock.schedule(ANSWER_TIMEOUT_MS, () => {
        settle();
        reject(unreachable('The rendezvous did not answer in time.'));
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, {
        timer,
        resolve(answer) {
          settle();
          resolve(answer);
        },
        reject(error) {
          settle();
          reject(error);
        },
      });
      this.#write({ ...request, id });
    });
  }

  close(): void {
    this.#fail(new RendezvousError('ERR_ATTEMPT_CANCELLED', 'The rendezvous was closed.'));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #write(message: ClientMessage): void {
    if (this.#connection.stream.writable) this.#connection.stream.write(encodeFrame(message));
  }

  #receive(message: ServerMessage): void {
    if (this.#gone) return;
    switch (message.type) {
      case 'welcome':
        return this.#welcomed.resolve(message);
      case 'signal':
        return this.#events.signal(message.from, message.sealed);
      case 'presence':
        return message.peers.forEach((peer) => this.#events.presence(peer));
      case 'found':
      case 'done':
      case 'pong':
        return this.#pending.get(message.id)?.resolve(message);
      case 'stopping':
        return this.#fail(
          new RendezvousError('ERR_RENDEZVOUS_STOPPING', 'The rendezvous is stopping.', message.retryAfterMs),
        );
      case 'error': {
        const error = serverError(message);
        if (message.id === undefined) this.#fail(error);
        else this.#pending.get(message.id)?.reject(error);
      }
    }
  }

  #pingLater(delayMs: number): void {
    this.#pingTimer = this.#clock.schedule(delayMs, () => {
      const sentAtMs = this.#clock.now();
      this.request({ type: 'ping' }).then(
        () => {
          this.#events.rtt(this.#clock.now() - sentAtMs);
          this.#pingLater(delayMs);
        },
        (error: unknown) => this.#fail(error instanceof RendezvousError ? error : unreachable(String(error))),
      );
    });
  }

  #fail(error: RendezvousError): void {
    if (this.#gone) return;
    this.#gone = error;
    this.#pingTimer?.[Symbol.dispose]();
    this.#connection.stream.destroy();
    this.#welcomed.reject(error);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#lose(error);
  }
}
