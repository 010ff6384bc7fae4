/** Time for the server: handed in by tests. */
export interface ServerClock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `task` once after `delayMs`; disposing cancels it. It does not keep the process alive. */
  schedule(delayMs: number, task: () => void): Disposable;
}

/** What happened, for whoever keeps a log. */
export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** A stable name such as `peer.online`. */
  readonly event: string;
  readonly [detail: string]: unknown;
}

/** How a rendezvous behind forwarded ports is seen from outside. */
export interface Advertise {
  /** A host name, or an IP address. */
  readonly host: string;
  /** TCP and UDP, as forwarded to the primary port; default: the same number. */
  readonly port?: number;
  /** UDP (and TCP, if that is forwarded too), as forwarded to the alternate port; default: the same number. */
  readonly altPort?: number;
}

export interface RendezvousOptions {
  /** Address to listen on; `0.0.0.0` (default): every IPv4 address found; `::`: every address found. */
  readonly host?: string;
  /** Default 7777; 0: any. */
  readonly port?: number;
  /** Default 7778; 0: any. */
  readonly altPort?: number;
  /** A second address of this machine, for the full behaviour discovery of RFC 5780. */
  readonly altAddress?: string;
  /** Access key; without it everybody may register. */
  readonly key?: string;
  readonly advertise?: Advertise;
  /** Holds the server's key and the names; without it both are forgotten at the end. */
  readonly dataDir?: string;
  readonly limits?: Partial<RendezvousLimits>;
  readonly clock?: ServerClock;
  readonly log?: (entry: LogEntry) => void;
}

/** Every bound of the server, in one place. */
export interface RendezvousLimits {
  /** Peers online at once. */
  readonly peers: number;
  /** Peers online at once from one address (an IPv4 address, an IPv6 /64): many may stand behind a carrier's NAT. */
  readonly peersPerAddress: number;
  /** TCP connections that are no peer yet, or STUN, from one address; more are closed at once. */
  readonly pendingPerAddress: number;
  /** The same from all addresses. */
  readonly pending: number;
  /** New TCP connections per second from one address, and how many at once. */
  readonly connectionsPerSecond: number;
  readonly connectionsBurst: number;
  /** Messages per second from one peer, and how many at once. A large one counts for several. */
  readonly messagesPerSecond: number;
  readonly messagesBurst: number;
  /** New names per hour from one address. */
  readonly namesPerHour: number;
  /** Names that one key holds; one more, and its least used one is given up. */
  readonly namesPerKey: number;
  readonly names: number;
  /** A name that is not used for so long is free again. */
  readonly nameLifetimeMs: number;
  /** Bytes that wait for a peer that reads slowly; what would be more is refused. A whole list must fit. */
  readonly queueBytes: number;
  /** A peer that reads nothing for so long is closed. */
  readonly stalledMs: number;
  /** A peer that says nothing for so long is closed; at most an hour. */
  readonly lifetimeMs: number;
  /** From the first byte to the end of the hello. */
  readonly helloTimeoutMs: number;
  /** STUN answers per second to one prefix (an IPv4 /24, an IPv6 /48), and how many at once. One larger than its request counts for several. */
  readonly stunPerSecond: number;
  readonly stunBurst: number;
  /** The same to everybody. */
  readonly stunPerSecondTotal: number;
  /** Peers in the list that a watching peer gets. */
  readonly listed: number;
}

const DAY_MS = 86_400_000;

export const DEFAULT_LIMITS: RendezvousLimits = {
  peers: 10_000,
  peersPerAddress: 256,
  pendingPerAddress: 64,
  pending: 2048,
  connectionsPerSecond: 50,
  connectionsBurst: 1000,
  messagesPerSecond: 20,
  messagesBurst: 100,
  namesPerHour: 120,
  namesPerKey: 4,
  names: 100_000,
  nameLifetimeMs: 90 * DAY_MS,
  queueBytes: 512 * 1024,
  stalledMs: 30_000,
  lifetimeMs: 90_000,
  helloTimeoutMs: 10_000,
  stunPerSecond: 500,
  stunBurst: 5000,
  stunPerSecondTotal: 50_000,
  listed: 500,
};

/** The machine's own time as it was at the start, and monotonic from then on: setting the clock costs nobody the connection. */
export const systemClock: ServerClock = {
  now: () => performance.timeOrigin + performance.now(),
  schedule(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
