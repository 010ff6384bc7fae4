import type { Endpoint, Family } from './address.ts';

/**
 * A socket that the engine owns and a strategy may use. Revoked when the attempt ends, unless it carries the winning path.
 */
interface LeaseBase extends Disposable {
  /** Unique within the node. */
  readonly id: string;
  /** The bound local endpoint. */
  readonly local: Endpoint;
  /**
   * The endpoint that the rendezvous sees this socket at (server-reflexive, RFC 8445).
   * Rejects with `ERR_NAT_UNREACHABLE` when no STUN server answers in time.
   */
  reflexive(signal?: AbortSignal): Promise<Endpoint>;
  /**
   * Asks the router to map a port to this socket, by whatever port mapper is enabled; undefined where there is none or it can't. Held as long
   * as the lease.
   */
  mapped(signal?: AbortSignal): Promise<Endpoint | undefined>;
}

/** One packet of a schedule. */
export interface ScheduledPacket {
  /** `check`: an authenticated connectivity check made by the engine; `raw`: `payload` as it is. */
  readonly kind: 'check' | 'raw';
  readonly to: Endpoint;
  /** Milliseconds after the agreed start. One in the past is sent at once. */
  readonly atMs: number;
  /** IP time-to-live of this packet alone; UDP only. */
  readonly ttl?: number;
  /** For `raw`, at most 1200 bytes. Its first byte must be 64 or more, so that it is never taken for STUN (RFC 7983). */
  readonly payload?: Uint8Array;
}

/** A run of checks over many ports of one address, executed by the engine. */
export interface Sweep {
  readonly kind: 'check';
  /** The address; its ports are what is swept. */
  readonly to: string;
  /** Ports in this order, or `random`: distinct ports drawn from `seed`, 1024–65535. */
  readonly ports: 'random' | readonly number[];
  /** Makes the order of `random` repeatable. */
  readonly seed?: number;
  /** Packets at most. */
  readonly count: number;
  /** Packets per second at most; the node-wide budget may slow it. */
  readonly ratePps: number;
  /** Milliseconds after the agreed start; default at once. */
  readonly atMs?: number;
  readonly ttl?: number;
}

/** Running work that the engine does for a strategy. */
export interface Running extends Disposable {
  /** Resolves with the packets (or dials) sent, when all were, or when stopped, revoked or over budget. */
  readonly done: Promise<number>;
}

/** A UDP socket on lease. */
export interface UdpLease extends LeaseBase {
  readonly protocol: 'udp';
  /** Sends each packet at its time; one call for a whole burst. Destinations are limited to the attempt's candidates. */
  schedule(packets: readonly ScheduledPacket[]): Running;
  /** Sends checks over many ports; one call for a whole sweep. */
  sweep(sweep: Sweep): Running;
  /** Receives datagrams that are not STUN, at most 100 a second. */
  onDatagram: ((payload: Uint8Array, from: Endpoint) => void) | null;
}

/** How a dial ended. */
export type DialOutcome = 'connected' | 'refused' | 'timeout' | 'unreachable' | 'aborted';

/** A TCP port on lease: many connections may be dialled from it. */
export interface TcpLease extends LeaseBase {
  readonly protocol: 'tcp';
  /**
   * Connects from this port at `atMs` (milliseconds after the agreed start). When it connects, the engine runs a check over it, which
   * then comes out of `attempt.nextCheck()`.
   */
  dial(to: Endpoint, options?: { readonly atMs?: number; readonly timeoutMs?: number }): Promise<DialOutcome>;
  /** Accepts connections on this port as well. Call it before dialling; a punching port must not listen while it dials. */
  listen(): Promise<void>;
}

export type Lease = UdpLease | TcpLease;

/** Where a strategy gets its sockets. */
export interface Sockets {
  /** Opens `count` UDP sockets. Rejects with `ERR_BUDGET_SOCKETS` over the budget. */
  openUdp(options?: {
    readonly count?: number;
    readonly family?: Family;
    readonly localAddress?: string;
  }): Promise<UdpLease[]>;
  /** Reserves `count` TCP ports. Rejects with `ERR_BUDGET_SOCKETS` over the budget. */
  openTcp(options?: {
    readonly count?: number;
    readonly family?: Family;
    readonly localAddress?: string;
  }): Promise<TcpLease[]>;
}
