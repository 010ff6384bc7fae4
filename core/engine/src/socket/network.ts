import type { Duplex } from 'node:stream';
import type { DialOutcome, Endpoint, Family, Gateway, HostInterface } from '@awl/api';

/**
 * The engine's only way to a network: the operating system's sockets in production, a simulated network of NATs in tests. All that has
 * rules (leases, budgets, checks, whom we may probe) stands above it, in the broker, and so runs the same on both.
 */
export interface Network {
  interfaces(): readonly HostInterface[];
  gateways(): Promise<readonly Gateway[]>;
  /** Something that only processes of this host's own network can know and that ends with its boot; undefined where there is nothing such. */
  hostId(): Promise<string | undefined>;
  /** Largest IP packet that an interface takes; undefined where the system does not tell. */
  mtuBytes?(interfaceName: string): Promise<number | undefined>;
  /** Rejects with `ERR_SOCKET_BIND`. Without an address: the wildcard. Without a port: any. */
  bindUdp(options: BindOptions): Promise<UdpSocket>;
  /** Takes a free TCP port without listening on it. Rejects with `ERR_SOCKET_BIND`. */
  reserveTcp(options: BindOptions): Promise<TcpPort>;
}

export interface BindOptions {
  readonly family: Family;
  readonly address?: string;
  readonly port?: number;
  /** For multicast: reuse the address, join this group on `address`. */
  readonly multicastGroup?: string;
}

export interface UdpSocket extends Disposable {
  readonly local: Endpoint;
  /**
   * Never throws: what cannot be sent is lost, as on any network. The bytes are sent or copied when it returns. `ttl` holds for this packet
   * only.
   */
  send(payload: Uint8Array, to: Endpoint, ttl?: number): void;
  /** The payload is the callee's own; `from` is valid during the call. */
  onMessage: ((payload: Uint8Array, from: Endpoint) => void) | null;
}

/** A dial that did not connect. */
export class DialError extends Error {
  readonly outcome: Exclude<DialOutcome, 'connected'>;
  constructor(outcome: Exclude<DialOutcome, 'connected'>) {
    super(`dial ended: ${outcome}`);
    this.outcome = outcome;
  }
}

/** A TCP connection. Bytes wait in the stream until somebody reads. */
export interface TcpStream {
  readonly stream: Duplex;
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export interface TcpPort extends Disposable {
  readonly local: Endpoint;
  /** Connects from this port. Simultaneous open (RFC 9293 §3.5) is what happens when both sides dial. Rejects with {@link DialError}. */
  dial(
    to: Endpoint,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<TcpStream>;
  /** Listens on this port as well. */
  listen(accept: (connection: TcpStream) => void): Promise<void>;
}
