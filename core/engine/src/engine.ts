import type { Duplex } from 'node:stream';
import type { Clock, Host, JsonValue, NatState, Random } from '@awl/api';
import type { StateStore } from './client.ts';
import type { MappingStorage } from './candidate/mapping-records.ts';
import type { EngineRegistry, Owner } from './registry.ts';
import type { Authorization } from './security/authorization.ts';
import type { Identity } from './security/identity.ts';
import type { Network } from './socket/network.ts';
import type { Rendezvous } from './signal/rendezvous.ts';

/** How a connection may run. */
export interface ConnectOptions {
  readonly password?: string;
  /** Only these strategies (by name, with or without `@major`). */
  readonly strategies?: readonly string[];
  readonly transport?: 'any' | 'udp' | 'tcp';
  readonly signal?: AbortSignal;
}

/** What an engine reports as it happens: the `event` of the NDJSON lines, without `time`. */
export interface EngineEvents {
  'nat.behaviour': NatState['behaviour'];
  'attempt.started': { readonly attempt: string; readonly peer: string; readonly strategy: string };
  'attempt.ended': {
    readonly attempt: string;
    readonly peer: string;
    readonly strategy: string;
    readonly outcome: string;
    readonly code?: string;
    readonly reason?: string;
    readonly ms: number;
    readonly probes: number;
  };
  'signal.agreed': { readonly attempt: string; readonly peer: string; readonly plan: readonly string[] };
  'path.selected': {
    readonly peer: string;
    readonly kind: string;
    readonly strategy: string;
    readonly transport: string;
    readonly remote: string;
    readonly rttMs: number;
  };
  'path.lost': { readonly peer: string; readonly code: string; readonly reason: string };
  'session.opened': { readonly peer: string; readonly session: string };
  'session.closed': { readonly peer: string; readonly code: string };
  'forward.listening': { readonly forward: string; readonly address: string };
  'forward.failed': { readonly forward: string; readonly code: string; readonly reason: string };
  'share.ready': { readonly share: string; readonly ticket: string };
}
export type EngineEventName = keyof EngineEvents;

export interface ShareRequest {
  /** `port` or `host:port`. */
  readonly target: string;
  readonly protocol?: 'tcp' | 'udp';
  readonly expiresS?: number;
  readonly uses?: number;
}

export interface ForwardRequest extends ConnectOptions {
  /** A peer id or name; or a ticket. */
  readonly peer?: string;
  readonly ticket?: string;
  /** `:port`, `address:port` or `*:port`; `:port` means 127.0.0.1. */
  readonly listen: string;
  /** Which of the peer's shares; default: the ticket's, or the only one. */
  readonly target?: string;
  readonly protocol?: 'tcp' | 'udp';
}

/** The engine: one per node. */
export interface Engine extends AsyncDisposable {
  readonly state: StateStore;
  readonly registry: EngineRegistry;
  readonly clock: Clock;
  readonly random: Random;
  on<Name extends EngineEventName>(name: Name, listener: (value: EngineEvents[Name]) => void): Disposable;
  /** Uses another rendezvous (already made, not opened); the old one is closed. Sessions stay. Resolves once registered. */
  useRendezvous(rendezvous: Rendezvous | undefined, signal?: AbortSignal): Promise<void>;
  /** Measures the NAT's behaviour; the verdict on mappings resolves it, `full` waits for the rest too. */
  measure(options?: { readonly full?: boolean; readonly signal?: AbortSignal }): Promise<NatState>;
  /** Connects to a peer by id, name or ticket; resolves with its id once a session lives. Rejects with an `AwlError`. */
  connect(
    to: { readonly peer?: string; readonly ticket?: string },
    options?: ConnectOptions,
  ): Promise<string>;
  disconnect(peer: string): Promise<void>;
  ping(peer: string): Promise<{ readonly rttMs: number; readonly path: string }>;
  cancelAttempt(attempt: string): void;
  /** Offers a service and makes a ticket for it. */
  share(request: ShareRequest): Promise<{ readonly share: string; readonly ticket: string }>;
  unshare(share: string): Promise<void>;
  /** Listens and leads to the peer; resolves once listening. The session is made now, and again whenever it is needed. */
  forward(request: ForwardRequest): Promise<{ readonly forward: string; readonly listen: string }>;
  /** One stream to a share of a peer, for `--stdio`. */
  openStream(request: Omit<ForwardRequest, 'listen'>): Promise<Duplex>;
  unforward(forward: string): Promise<void>;
  /** Changes settings at run time: `limits.sockets`, `limits.probesPerSecond`, `probing.exhaustive`. */
  configure(settings: { readonly [key: string]: JsonValue }): void;
  close(): Promise<void>;
}

/** What an engine is made of. Clock, random and network are handed in, so that it runs the same on a simulated network. */
export interface EngineParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly identity: Identity;
  /** Who may connect. */
  readonly authorization: Authorization;
  /** This node's own password, which others pair with; undefined: nobody can. Registered in `authorization` by its owner. */
  readonly password: () => string | undefined;
  readonly name: string;
  readonly version: string;
  readonly simulated?: boolean;
  /** Wall-clock time for the state, milliseconds since the Unix epoch. */
  readonly wallClock: () => number;
  /** Makes (does not open) the client of a rendezvous that a ticket names. */
  readonly openRendezvous: (url: string) => Rendezvous;
  /** Where mappings are noted that a crash would leave behind; without it they end with their lease. */
  readonly mappingStorage?: MappingStorage;
  /** What a plugin sees of the host, within its capabilities. */
  readonly hostFor: (network: Network, owner: Owner) => Host;
}
