import { delay, type Clock, type Endpoint, type Random } from '@awl/api';
import {
  AwlError,
  formatIp,
  isPeerName,
  parseIp,
  parseRendezvousUrl,
  type ErrorCode,
  type PeerEntry,
  type RendezvousUrl,
} from '@awl/wire';
import { dialTls, type TlsConnection, type TlsDialOptions } from '../socket/tls-dial.ts';
import { connectControl, type ControlIdentity, type RendezvousControl } from './rendezvous-control.ts';
import { RendezvousError } from './rendezvous-error.ts';
import { OnlinePeers } from './online-peers.ts';
import type { PeerRecord, Rendezvous } from './rendezvous.ts';

export interface RendezvousClientOptions {
  /** `awl://host[:port][#fingerprint]`. */
  readonly url: string;
  readonly identity: ControlIdentity;
  /** The name to be found by. */
  readonly name?: string;
  /** Access key of the rendezvous. It is never sent, only proved. */
  readonly accessKey?: string;
  /** The fingerprint seen before, where the URL has none: another one is refused. */
  readonly knownFingerprint?: string;
  /** Called with the fingerprint at each connection that is accepted, so that the first one can be remembered. */
  readonly onFingerprint?: (fingerprint: string) => void;
  readonly clock: Clock;
  readonly random: Random;
  /** Another way to connect, for tests. */
  readonly dial?: (options: TlsDialOptions) => Promise<TlsConnection>;
}

/** Waits before connecting again: doubled each time, up to the last. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;
/** Connecting and the hello together. */
const CONNECT_TIMEOUT_MS = 15_000;

/** These don't go away by trying again: somebody has to change something. */
const FOR_GOOD: readonly string[] = [
  'ERR_USAGE',
  'ERR_RENDEZVOUS_KEY_MISMATCH',
  'ERR_RENDEZVOUS_KEY_CHANGED',
  'ERR_RENDEZVOUS_ACCESS',
  'ERR_NAME_TAKEN',
  'ERR_NAME_INVALID',
  'ERR_WIRE_VERSION',
] satisfies ErrorCode[];

/**
 * A rendezvous over TLS. Reconnects by itself until closed. Only the first connection can fail for good: later a changed key may be that of
 * a captive portal, and the right one comes back.
 */
export class RendezvousClient implements Rendezvous {
  readonly url: string;
  onSignal: Rendezvous['onSignal'] = null;
  onPresence: Rendezvous['onPresence'] = null;
  onStatus: Rendezvous['onStatus'] = null;
  readonly #options: RendezvousClientOptions;
  readonly #closing = new AbortController();
  readonly #online = new OnlinePeers((record) => this.onPresence?.(record));
  #fingerprint: string | undefined;
  #control: RendezvousControl | undefined;
  #stun: Rendezvous['stun'] | undefined;
  #running: Promise<void> | undefined;

  constructor(options: RendezvousClientOptions) {
    this.#options = options;
    this.url = options.url;
    this.#fingerprint = options.knownFingerprint;
  }

  /** Of the connection now, or of the last one. None before the first. */
  get stun(): Rendezvous['stun'] {
    return this.#stun ?? { udp: [], tcp: [] };
  }

  /** The fingerprint in the URL, else the one remembered, else undefined until the first connection. */
  get fingerprint(): string | undefined {
    return parseRendezvousUrl(this.url)?.fingerprint ?? this.#fingerprint;
  }

  /** Where the rendezvous sees us, while connected. */
  get observed(): Endpoint | undefined {
    return this.#control?.welcome.observed;
  }

  open(signal?: AbortSignal): Promise<void> {
    const url = parseRendezvousUrl(this.url);
    if (!url)
      return Promise.reject(
        new AwlError(
          'ERR_USAGE',
          `${JSON.stringify(this.url.slice(0, 200))} is no awl://host[:port][#fingerprint].`,
        ),
      );
    if (this.#running) return Promise.reject(new AwlError('ERR_USAGE', 'The rendezvous is already open.'));
    return new Promise((resolve, reject) => {
      let last: AwlError | undefined;
      const onAbort = (): void => {
        reject(last ?? signal?.reason);
        void this.close();
      };
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      const forget = (): void => signal?.removeEventListener('abort', onAbort);
      this.#running = this.#run(url, {
        connected() {
          forget();
          resolve();
        },
        failed: (error) => (last = error),
      }).then(
        () => {
          forget();
          reject(new AwlError('ERR_ATTEMPT_CANCELLED', 'The rendezvous was closed.'));
        },
        (error: unknown) => {
          forget();
          reject(error);
        },
      );
    });
  }

  async lookup(nameOrId: string, signal?: AbortSignal): Promise<PeerRecord | undefined> {
    const answer = await this.#connected().request({ type: 'lookup', peer: nameOrId }, signal);
    return answer.type === 'found' && answer.peer ? recordOf(answer.peer) : undefined;
  }

  async send(peerId: string, sealed: string): Promise<void> {
    await this.#connected().request({ type: 'signal', to: peerId, sealed });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#control?.close();
    await this.#running;
  }

  #connected(): RendezvousControl {
    if (this.#control) return this.#control;
    throw new AwlError('ERR_RENDEZVOUS_UNREACHABLE', `There is no connection to ${this.url} now.`);
  }

  /** Connects again and again. Rejects when the first connection is refused for good. */
  async #run(
    url: RendezvousUrl,
    events: { connected: () => void; failed: (error: AwlError) => AwlError },
  ): Promise<void> {
    const { clock, random } = this.#options;
    const closed = this.#closing.signal;
    let retryMs = FIRST_RETRY_MS;
    let hasConnected = false;
    while (!closed.aborted) {
      let lost: AwlError;
      this.onStatus?.('connecting', {});
      try {
        using control = await this.#connect(url);
        this.#control = control;
        retryMs = FIRST_RETRY_MS;
        hasConnected = true;
        this.onStatus?.('connected', { rttMs: control.rttMs });
        events.connected();
        lost = await control.lost;
      } catch (error) {
        lost =
          error instanceof AwlError
            ? error
            : new AwlError('ERR_RENDEZVOUS_UNREACHABLE', String(error), { cause: error });
      } finally {
        this.#control = undefined;
      }
      if (closed.aborted) return;
      events.failed(lost);
      this.onStatus?.('lost', { code: lost.code, reason: lost.message });
      if (FOR_GOOD.includes(lost.code)) {
        if (!hasConnected) throw lost;
        retryMs = LAST_RETRY_MS;
      }
      // A rendezvous that stopped or turned us away is not run over by all its peers at once.
      const jitter = random.next();
      const retryAfterMs = (lost instanceof RendezvousError && lost.retryAfterMs) || 0;
      const waitMs = Math.max(retryMs * (0.5 + jitter), retryAfterMs * (1 + jitter));
      retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
      await delay(clock, waitMs, closed).catch(() => undefined);
    }
  }

  async #connect(url: RendezvousUrl): Promise<RendezvousControl> {
    const { clock, identity } = this.#options;
    const timeout = new AbortController();
    using _timer = clock.schedule(CONNECT_TIMEOUT_MS, () =>
      timeout.abort(
        new AwlError('ERR_RENDEZVOUS_UNREACHABLE', `${url.host} port ${url.port} did not answer in time.`),
      ),
    );
    const signal = AbortSignal.any([this.#closing.signal, timeout.signal]);
    const online = this.#online;
    online.begin();
    const control = await connectControl({
      ...this.#options,
      dial: this.#options.dial ?? dialTls,
      url,
      identity,
      knownFingerprint: url.fingerprint ?? this.#fingerprint,
      signal,
      events: {
        signal: (from, sealed) => this.onSignal?.(recordOf(from), sealed),
        presence: (peer) => online.note(recordOf(peer)),
        listed: () => online.listed(),
        rtt: (rttMs) => this.onStatus?.('connected', { rttMs }),
      },
    });
    this.#fingerprint = control.fingerprint;
    this.#stun = control.stun;
    this.#options.onFingerprint?.(control.fingerprint);
    return control;
  }
}

/** What a rendezvous says of a peer, as far as it can be what it is said to be. The keys prove themselves where they are used. */
function recordOf({
  peerId,
  name,
  online,
  seenAt,
  spki,
  sealKey,
  sealSignature,
  observedAddress,
}: PeerEntry): PeerRecord {
  const address = observedAddress === undefined ? undefined : parseIp(observedAddress);
  return {
    peerId,
    ...(name !== undefined && isPeerName(name) ? { name } : {}),
    online,
    ...(seenAt === undefined ? {} : { seenAt }),
    spki,
    sealKey,
    sealSignature,
    ...(address ? { observedAddress: formatIp(address) } : {}),
  };
}
