import type { Clock, Endpoint, Random, Role, VerifiedCheck, Lease } from '@awl/api';
import { formatEndpoint, sameEndpoint } from '@awl/api';
import { decodeStun, encodeStun, verifyIntegrity, type StunMessage } from '@awl/wire';

/** A lease as the agent sees it. */
export interface CheckedLease {
  readonly lease: Lease;
  /** Sends to this endpoint, past the budgets of strategies: the agent has its own bounds. */
  transmit(bytes: Uint8Array, to: Endpoint, ttl?: number): void;
}

/** A socket through which checks went both ways, as far as the engine must tell UDP and TCP apart. */
export interface Punched {
  readonly lease: Lease;
  readonly remote: Endpoint;
  /** Tells the peer that this one was chosen (RFC 8445 §8.1.1), until it answers. Rejects with the signal's reason. */
  nominate(signal: AbortSignal): Promise<void>;
}

/** A verified check, and the socket it went through. */
export interface ValidPair extends VerifiedCheck {
  readonly punched: Punched;
}

/** Keys of MESSAGE-INTEGRITY: what we request and what the peer requests. */
export interface CheckKeys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
}

/** Requests that may be waiting for an answer; the oldest are forgotten first. */
const PENDING_LIMIT = 8192;
/** Pairs that the peer's checks may make us answer by checks of our own. */
const TRIGGERED_LIMIT = 64;
/** When a triggered check is repeated, milliseconds after the one before (RFC 8445 §14.3, shorter since the peer is known to be there). */
const TRIGGERED_REPEAT_MS = [40, 60, 100, 200, 400, 800];
const NOMINATION_REPEAT_MS = [60, 80, 120, 200, 400, 800, 1200];

interface Pending {
  readonly checked: CheckedLease;
  /** When it was sent: to one endpoint, or to each port of a sweep. */
  readonly sentAt: number | Map<number, number>;
  readonly nominates: boolean;
  readonly onAnswer?: (from: Endpoint) => void;
}

/**
 * The connectivity checks of one attempt: STUN Binding requests with MESSAGE-INTEGRITY-SHA256 under the sender's key of this attempt
 * and the sender's role inside, so that neither a stranger's packet nor our own, hairpinned, is taken for the peer's (RFC 8445 §7). Silent until armed,
 * which happens at `go`.
 */
export class CheckAgent {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly role: Role;
  readonly #tieBreaker: bigint;
  readonly #pending = new Map<string, Pending>();
  readonly #valid = new Map<string, ValidPair>();
  readonly #triggered = new Map<string, Disposable>();
  readonly #nominations = new Map<string, () => void>();
  #keys: CheckKeys | undefined;
  #closed = false;
  /** A check went both ways; called once per pair of lease and endpoint, again whenever the peer's answer comes again. */
  onValid: ((pair: ValidPair, first: boolean) => void) | null = null;
  /** An authenticated packet came from this endpoint. */
  onAuthenticated: ((from: Endpoint) => void) | null = null;
  /** The controlling peer chose this socket (RFC 8445 §8.1.2). May come more than once. */
  onNominated: ((punched: Punched) => void) | null = null;

  constructor(clock: Clock, random: Random, role: Role) {
    this.#clock = clock;
    this.#random = random;
    this.role = role;
    this.#tieBreaker = Buffer.from(random.bytes(8)).readBigUInt64BE();
  }

  /** Gives the attempt's keys: from here on checks are made, answered and verified. */
  arm(keys: CheckKeys): void {
    this.#keys = keys;
  }

  get armed(): boolean {
    return this.#keys !== undefined && !this.#closed;
  }

  /** One check; undefined before `go`. */
  send(
    checked: CheckedLease,
    to: Endpoint,
    options: { readonly ttl?: number; readonly nominate?: boolean } = {},
  ): void {
    if (!this.armed) return;
    const nominates = options.nominate === true;
    const transactionId = this.#remember({ checked, sentAt: this.#clock.now(), nominates });
    checked.transmit(this.#request(transactionId, nominates), to, options.ttl);
  }

  /** A check of this size, padded, whose answer is small: shows that the path carries so much (RFC 8899 §4.1). */
  sendPadded(checked: CheckedLease, to: Endpoint, sizeBytes: number, onAnswer: () => void): void {
    if (!this.armed) return;
    const transactionId = this.#remember({
      checked,
      sentAt: this.#clock.now(),
      nominates: false,
      onAnswer: (from) => void (sameEndpoint(from, to) && onAnswer()),
    });
    checked.transmit(this.#request(transactionId, false, sizeBytes), to);
  }

  /** A check to be sent to many ports: made once. The returned function sends it to one. */
  prepareSweep(checked: CheckedLease, address: string, ttl?: number): (port: number) => void {
    const sentAt = new Map<number, number>();
    const transactionId = this.#remember({ checked, sentAt, nominates: false });
    const bytes = this.#request(transactionId, false);
    return (port) => {
      if (!this.armed) return;
      sentAt.set(port, this.#clock.now());
      checked.transmit(bytes, { address, port }, ttl);
    };
  }

  /** Takes a STUN packet that came in on a lease. What is not authentic is dropped without a trace. */
  receive(checked: CheckedLease, bytes: Buffer, from: Endpoint): void {
    const message = this.authenticate(bytes);
    if (!message) return;
    this.onAuthenticated?.(from);
    if (message.class === 'request') this.#onRequest(checked, message, from);
    else if (message.class === 'response') this.#onResponse(checked, message, from);
  }

  /** The message, if the peer of this attempt made it. */
  authenticate(bytes: Buffer): StunMessage | undefined {
    if (!this.#keys || this.#closed) return undefined;
    const message = decodeStun(bytes);
    // A request is under its sender's key, and so is its answer: our own packet, sent back to us by a NAT, fits neither.
    if (
      !message ||
      !verifyIntegrity(message, message.class === 'request' ? this.#keys.receive : this.#keys.send)
    )
      return undefined;
    if (message.class !== 'request') return message;
    const { iceControlling, iceControlled } = message.attributes;
    const peerControls = iceControlling !== undefined && iceControlled === undefined;
    return peerControls === (this.role === 'controlled') && (peerControls || iceControlled !== undefined)
      ? message
      : undefined;
  }

  /** The answer to a check, for the endpoint it came from. */
  answer(message: StunMessage, from: Endpoint): Buffer {
    return encodeStun(
      { class: 'response', transactionId: message.transactionId, attributes: { xorMappedAddress: from } },
      { integrityKey: this.#armedKeys().receive },
    );
  }

  /** A check's bytes for a stream, whose answer the caller matches by the transaction id. */
  streamRequest(nominate: boolean): { readonly transactionId: Buffer; readonly bytes: Buffer } {
    const transactionId = Buffer.from(this.#random.bytes(12));
    return { transactionId, bytes: this.#request(transactionId, nominate) };
  }

  #nominate(checked: CheckedLease, remote: Endpoint, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: Disposable | undefined;
      let tries = 0;
      let settled = false;
      const key = pairKey(checked, remote);
      const settle = (): void => {
        timer?.[Symbol.dispose]();
        this.#nominations.delete(key);
        settled = true;
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        settle();
        reject(signal.reason);
      };
      if (signal.aborted) return reject(signal.reason);
      this.#nominations.set(key, () => {
        settle();
        resolve();
      });
      signal.addEventListener('abort', onAbort, { once: true });
      const turn = (): void => {
        this.send(checked, remote, { nominate: true });
        if (!settled) timer = this.#clock.schedule(NOMINATION_REPEAT_MS[tries++] ?? 1500, turn);
      };
      turn();
    });
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#triggered.values()) timer[Symbol.dispose]();
    this.#triggered.clear();
    this.#pending.clear();
    this.onValid = this.onNominated = this.onAuthenticated = null;
  }

  #request(transactionId: Buffer, nominate: boolean, padToBytes?: number): Buffer {
    const role =
      this.role === 'controlling'
        ? { iceControlling: this.#tieBreaker }
        : { iceControlled: this.#tieBreaker };
    return encodeStun(
      {
        class: 'request',
        transactionId,
        attributes: { ...role, ...(nominate ? { useCandidate: true as const } : {}) },
      },
      { integrityKey: this.#armedKeys().send, ...(padToBytes === undefined ? {} : { padToBytes }) },
    );
  }

  #armedKeys(): CheckKeys {
    if (!this.#keys) throw new Error('checks are made after go only');
    return this.#keys;
  }

  #remember(pending: Pending): Buffer {
    const transactionId = Buffer.from(this.#random.bytes(12));
    this.#pending.set(transactionId.toString('latin1'), pending);
    if (this.#pending.size > PENDING_LIMIT) this.#pending.delete(this.#pending.keys().next().value ?? '');
    return transactionId;
  }

  #onRequest(checked: CheckedLease, message: StunMessage, from: Endpoint): void {
    checked.transmit(this.answer(message, from), from);
    if (message.attributes.useCandidate && this.role === 'controlled')
      this.onNominated?.(this.#punched(checked, from));
    this.#trigger(checked, from);
  }

  /** The peer's packet got in, so ours may get out: check this pair now (RFC 8445 §7.3.1.4). */
  #trigger(checked: CheckedLease, from: Endpoint): void {
    const key = pairKey(checked, from);
    if (this.#valid.has(key) || this.#triggered.has(key) || this.#triggered.size >= TRIGGERED_LIMIT) return;
    let tries = 0;
    const turn = (): void => {
      if (this.#valid.has(key) || !this.armed) return;
      this.send(checked, from);
      const waitMs = TRIGGERED_REPEAT_MS[tries++];
      this.#triggered.set(
        key,
        waitMs === undefined ? { [Symbol.dispose]: () => {} } : this.#clock.schedule(waitMs, turn),
      );
    };
    turn();
  }

  #onResponse(checked: CheckedLease, message: StunMessage, from: Endpoint): void {
    const pending = this.#pending.get(message.transactionId.toString('latin1'));
    if (!pending || pending.checked !== checked) return;
    const sentAt = typeof pending.sentAt === 'number' ? pending.sentAt : pending.sentAt.get(from.port);
    if (sentAt === undefined) return;
    const key = pairKey(checked, from);
    const first = !this.#valid.has(key);
    const punched = this.#punched(checked, from);
    const pair: ValidPair = {
      punched,
      lease: checked.lease,
      remote: punched.remote,
      rttMs: this.#clock.now() - sentAt,
    };
    this.#valid.set(key, pair);
    this.#triggered.get(key)?.[Symbol.dispose]();
    pending.onAnswer?.(from);
    if (pending.nominates) this.#nominations.get(key)?.();
    this.onValid?.(pair, first);
  }

  #punched(checked: CheckedLease, { address, port }: Endpoint): Punched {
    const remote = { address, port };
    return { lease: checked.lease, remote, nominate: (signal) => this.#nominate(checked, remote, signal) };
  }
}

function pairKey(checked: CheckedLease, remote: Endpoint): string {
  return `${checked.lease.id} ${formatEndpoint(remote)}`;
}
