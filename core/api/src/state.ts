import type { Candidate, Endpoint } from './address.ts';
import type { BehaviourVector } from './behaviour.ts';
import type { Capability } from './manifest.ts';
import type { JsonValue } from './json.ts';
import type { PortMapping } from './mapper.ts';
import type { ViewData } from './view.ts';
import type { Evidence } from './probe.ts';
import type { Assessment, Role } from './strategy.ts';

/** How a path runs. */
export type PathKind = 'direct' | 'lan' | 'mapped' | 'relay';

/** This node. All wall-clock times are milliseconds since the Unix epoch. */
export interface NodeState {
  readonly name: string;
  readonly peerId: string;
  readonly version: string;
  readonly startedAt: number;
  /** True in a demonstration over simulated NATs. */
  readonly simulated: boolean;
}

export interface RendezvousState {
  readonly url: string;
  readonly status: 'none' | 'connecting' | 'connected' | 'lost';
  readonly rttMs?: number;
  /** Why it is not connected. */
  readonly code?: string;
  readonly reason?: string;
}

export interface NatState {
  readonly status: 'unknown' | 'measuring' | 'known';
  readonly measuredAt?: number;
  readonly behaviour: BehaviourVector;
  readonly evidence: readonly Evidence[];
  readonly publicAddresses: readonly string[];
  readonly gateway?: string;
  readonly mappings: readonly (PortMapping & { readonly mapper: string; readonly expiresAt: number })[];
}

/** One path of a session, the live one or one that was. */
export interface PathState {
  readonly kind: PathKind;
  readonly strategy: string;
  readonly transport: string;
  readonly local?: Endpoint;
  readonly remote: Endpoint;
  readonly since: number;
  readonly until?: number;
  readonly rttMs?: number;
  readonly lossRatio?: number;
  /** Why it ended. */
  readonly code?: string;
}

export type PeerStatus =
  | 'offline'
  | 'online'
  | 'connecting'
  | 'punching'
  | 'connected'
  | 'reconnecting'
  | 'no-path'
  | 'refused';

export interface PeerState {
  readonly id: string;
  readonly name: string;
  readonly status: PeerStatus;
  /** May connect here without a password or ticket. */
  readonly remembered: boolean;
  readonly seenAt?: number;
  readonly path?: PathState;
  /** Newest last, at most 20. */
  readonly pathHistory: readonly PathState[];
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Bytes per second over the last second. */
  readonly sendRateBps: number;
  readonly receiveRateBps: number;
  /** Bytes per second, both directions, one value a second, newest last, at most 600. */
  readonly throughput: readonly number[];
  readonly streams: number;
  /** The newest attempt's id. */
  readonly attempt?: string;
  /** Why there is no connection, and what would help. */
  readonly code?: string;
  readonly reason?: string;
  readonly remedy?: string;
}

export type RaceStatus = 'skipped' | 'waiting' | 'running' | 'connected' | 'failed' | 'cancelled';

/** One strategy's row in an attempt. */
export interface RaceState {
  readonly strategy: string;
  readonly assessment?: Assessment;
  readonly status: RaceStatus;
  readonly startsAtMs?: number;
  readonly probesSent: number;
  readonly probesBudget: number;
  readonly progress?: { readonly done: number; readonly of: number; readonly etaMs?: number };
  readonly tookMs?: number;
  readonly code?: string;
  readonly reason?: string;
}

/** One line of the decision trace. */
export interface TraceLine {
  readonly at: number;
  readonly step: 'signal' | 'candidate' | 'assess' | 'plan' | 'punch' | 'path' | 'session';
  readonly text: string;
}

export interface AttemptState {
  readonly id: string;
  readonly peer: string;
  readonly role: Role;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly status: 'signalling' | 'punching' | 'connected' | 'failed';
  readonly local: BehaviourVector;
  readonly remote?: BehaviourVector;
  readonly clockOffsetMs?: number;
  readonly localCandidates: readonly Candidate[];
  readonly remoteCandidates: readonly Candidate[];
  readonly race: readonly RaceState[];
  /** At most 200 lines. */
  readonly trace: readonly TraceLine[];
  readonly code?: string;
  readonly reason?: string;
  readonly remedy?: string;
}

/** A service offered to others. */
export interface ShareState {
  readonly id: string;
  readonly target: string;
  readonly protocol: 'tcp' | 'udp';
  readonly tickets: readonly {
    readonly id: string;
    readonly ticket?: string;
    readonly expiresAt: number;
    readonly usesLeft?: number;
  }[];
  readonly connections: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** A local listener that leads to a peer's share. */
export interface ForwardState {
  readonly id: string;
  readonly peer: string;
  readonly listen: string;
  readonly target?: string;
  readonly protocol: 'tcp' | 'udp';
  readonly status: 'listening' | 'waiting' | 'failed';
  readonly code?: string;
  readonly reason?: string;
  readonly connections: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export type PluginStatus =
  | 'disabled'
  | 'inactive'
  | 'activating'
  | 'active'
  | 'unresponsive'
  | 'failed'
  | 'quarantined';

export interface PluginState {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
  readonly version: string;
  readonly builtIn: boolean;
  readonly status: PluginStatus;
  readonly capabilities: readonly Capability[];
  readonly activationMs?: number;
  readonly failures: number;
  readonly code?: string;
  readonly reason?: string;
  readonly contributes: readonly string[];
  readonly settings: { readonly schema?: JsonValue; readonly values: { readonly [key: string]: JsonValue } };
}

export interface ViewState {
  readonly id: string;
  readonly plugin: string;
  readonly title: string;
  readonly data?: ViewData;
}

export interface LogLine {
  readonly id: number;
  readonly at: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly source: string;
  readonly text: string;
}

/** All that a UI shows. Immutable: a change makes new objects along its way only. */
export interface EngineState {
  readonly node: NodeState;
  readonly rendezvous: RendezvousState;
  readonly nat: NatState;
  readonly peers: { readonly [id: string]: PeerState };
  /** The newest 50. */
  readonly attempts: { readonly [id: string]: AttemptState };
  readonly shares: { readonly [id: string]: ShareState };
  readonly forwards: { readonly [id: string]: ForwardState };
  readonly plugins: { readonly [id: string]: PluginState };
  readonly views: { readonly [id: string]: ViewState };
  readonly statusItems: {
    readonly [id: string]: { readonly id: string; readonly plugin: string; readonly text: string };
  };
  /** Plugins' commands for the palette. */
  readonly commands: {
    readonly [id: string]: { readonly id: string; readonly plugin: string; readonly title: string };
  };
  /** The newest 1000. */
  readonly log: readonly LogLine[];
}
