import {
  familyOf,
  type Endpoint,
  type Running,
  type ScheduledPacket,
  type Sweep,
  type UdpLease,
} from '@awl/api';
import { AwlError, decodeStun, isStun } from '@awl/wire';
import type { CheckedLease } from './check-agent.ts';
import type { UdpSocket } from './network.ts';
import { runSchedule, runSweep } from './pacer.ts';
import type { LeaseScope } from './scope.ts';
import { StunQueries, type QueryOptions, type StunAnswer } from './stun-query.ts';

const DATAGRAMS_PER_SECOND = 100;
const MAX_RAW_BYTES = 1200;
/** RFC 7983 §7: below this a first byte may be taken for STUN, ZRTP or DTLS. */
const LOWEST_RAW_FIRST_BYTE = 64;

/** A UDP socket on lease, and what the engine does with it. */
export class ManagedUdpLease implements UdpLease, CheckedLease {
  readonly protocol = 'udp';
  readonly id: string;
  readonly local: Endpoint;
  onDatagram: ((payload: Uint8Array, from: Endpoint) => void) | null = null;
  /** Takes what is not STUN, once a path runs on this lease: nothing else sees those bytes. */
  onData: ((payload: Uint8Array, from: Endpoint) => void) | null = null;
  readonly #socket: UdpSocket;
  readonly #scope: LeaseScope;
  readonly #queries: StunQueries;
  readonly #onClosed: (lease: ManagedUdpLease) => void;
  #reflexive: Promise<Endpoint> | undefined;
  /** What {@link reflexive} found, once it did. */
  knownReflexive: Endpoint | undefined;
  /** What {@link mapped} got, once it did. */
  knownMapped: Endpoint | undefined;
  readonly #mapping = new AbortController();
  #datagrams = { since: -Infinity, count: 0 };
  #closed = false;

  constructor(id: string, socket: UdpSocket, scope: LeaseScope, onClosed: (lease: ManagedUdpLease) => void) {
    this.id = id;
    this.#socket = socket;
    this.#scope = scope;
    this.#onClosed = onClosed;
    this.local = socket.local;
    this.#queries = new StunQueries(scope.clock, scope.random, (bytes, to) => socket.send(bytes, to));
    socket.onMessage = (payload, from) => this.#onMessage(payload, from);
  }

  get lease(): this {
    return this;
  }

  transmit(bytes: Uint8Array, to: Endpoint, ttl?: number): void {
    this.#socket.send(bytes, to, ttl);
  }

  reflexive(signal: AbortSignal = this.#scope.signal): Promise<Endpoint> {
    const server = this.#scope.stun.udp.find((endpoint) => familyOf(endpoint) === familyOf(this.local));
    if (!server)
      return Promise.reject(new AwlError('ERR_NAT_UNREACHABLE', 'no STUN server is known for this family'));
    this.#reflexive ??= this.query(server, { signal }).then(({ mapped }) => mapped);
    this.#reflexive.then(
      (endpoint) => (this.knownReflexive = endpoint),
      () => (this.#reflexive = undefined),
    );
    return this.#reflexive;
  }

  async mapped(signal: AbortSignal = this.#scope.signal): Promise<Endpoint | undefined> {
    this.knownMapped ??= await this.#scope.map(this, signal, this.#mapping.signal);
    return this.knownMapped;
  }

  /** A STUN transaction with a server, from this socket. */
  query(server: Endpoint, options?: QueryOptions): Promise<StunAnswer> {
    return this.#queries.query(server, options);
  }

  schedule(packets: readonly ScheduledPacket[]): Running {
    for (const packet of packets) if (packet.kind === 'raw') assertRaw(packet.payload);
    return runSchedule(this.#scope, packets, (packet) => {
      if (packet.kind === 'raw') this.transmit(packet.payload ?? new Uint8Array(), packet.to, packet.ttl);
      else this.#scope.checks?.send(this, packet.to, packet.ttl === undefined ? {} : { ttl: packet.ttl });
    });
  }

  sweep(sweep: Sweep): Running {
    let send: ((port: number) => void) | undefined;
    return runSweep(this.#scope, sweep, (port) => {
      send ??= this.#scope.checks?.prepareSweep(this, sweep.to, sweep.ttl);
      send?.(port);
    });
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#mapping.abort();
    this.onDatagram = this.onData = null;
    this.#socket[Symbol.dispose]();
    this.#onClosed(this);
  }

  #onMessage(payload: Uint8Array, from: Endpoint): void {
    if (!isStun(payload[0])) {
      if (this.onData) this.onData(payload, from);
      else if (this.onDatagram && this.#mayDeliver())
        this.onDatagram(payload, { address: from.address, port: from.port });
      return;
    }
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    if (this.#queries.size > 0) {
      const message = decodeStun(bytes);
      if (message && this.#queries.receive(message, from)) return;
    }
    this.#scope.checks?.receive(this, bytes, from);
  }

  #mayDeliver(): boolean {
    const now = this.#scope.clock.now();
    if (now - this.#datagrams.since >= 1000) this.#datagrams = { since: now, count: 0 };
    this.#datagrams.count += 1;
    return this.#datagrams.count <= DATAGRAMS_PER_SECOND;
  }
}

function assertRaw(payload: Uint8Array | undefined): void {
  if (
    !payload ||
    payload.length === 0 ||
    payload.length > MAX_RAW_BYTES ||
    payload[0]! < LOWEST_RAW_FIRST_BYTE
  )
    throw new RangeError(
      `a raw payload has 1 to ${MAX_RAW_BYTES} bytes, the first ≥ ${LOWEST_RAW_FIRST_BYTE}`,
    );
}
