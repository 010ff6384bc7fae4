import type { JsonValue } from './json.ts';
import type { EngineState, LogLine, NatState, RendezvousState, NodeState } from './state.ts';

/** The parts of the state that are tables by id. */
export type CollectionName =
  | 'peers'
  | 'attempts'
  | 'shares'
  | 'forwards'
  | 'plugins'
  | 'views'
  | 'statusItems'
  | 'commands';

/** One change of the state. */
export type Change =
  | { readonly section: 'node'; readonly value: NodeState }
  | { readonly section: 'rendezvous'; readonly value: RendezvousState }
  | { readonly section: 'nat'; readonly value: NatState }
  | {
      [Name in CollectionName]: {
        readonly collection: Name;
        readonly id: string;
        readonly value: EngineState[Name][string] | null;
      };
    }[CollectionName]
  | { readonly log: readonly LogLine[] };

/** Changes that belong together. A gap in `sequence` means: take a new snapshot. */
export interface Patch {
  readonly sequence: number;
  readonly changes: readonly Change[];
}

export interface Snapshot {
  /** The sequence of the last patch inside. */
  readonly sequence: number;
  readonly state: EngineState;
}

/** Commands that a UI or script may give: parameters and result of each. */
export interface Commands {
  'peer.connect': {
    params: {
      readonly peer?: string;
      readonly ticket?: string;
      readonly password?: string;
      readonly strategies?: readonly string[];
      readonly transport?: 'any' | 'udp' | 'tcp';
    };
    result: { readonly peer: string };
  };
  'peer.disconnect': { params: { readonly peer: string }; result: null };
  'peer.forget': { params: { readonly peer: string }; result: null };
  'peer.ping': {
    params: { readonly peer: string };
    result: { readonly rttMs: number; readonly path: string };
  };
  'attempt.cancel': { params: { readonly attempt: string }; result: null };
  'share.add': {
    params: {
      readonly target: string;
      readonly protocol?: 'tcp' | 'udp';
      readonly expiresS?: number;
      readonly uses?: number;
      readonly store?: boolean;
    };
    result: { readonly share: string; readonly ticket: string };
  };
  'share.remove': { params: { readonly share: string }; result: null };
  'forward.add': {
    params: {
      readonly peer?: string;
      readonly ticket?: string;
      readonly password?: string;
      readonly listen: string;
      readonly target?: string;
      readonly protocol?: 'tcp' | 'udp';
      readonly strategies?: readonly string[];
      readonly transport?: 'any' | 'udp' | 'tcp';
      readonly store?: boolean;
    };
    result: { readonly forward: string; readonly listen: string };
  };
  'forward.remove': { params: { readonly forward: string }; result: null };
  'nat.measure': { params: { readonly full?: boolean }; result: NatState };
  'plugin.enable': { params: { readonly plugin: string }; result: null };
  'plugin.disable': { params: { readonly plugin: string; readonly force?: boolean }; result: null };
  'plugin.install': {
    params: { readonly from: string; readonly confirmed: boolean };
    result: {
      readonly plugin: string;
      readonly capabilities: readonly string[];
      readonly installed: boolean;
    };
  };
  'plugin.uninstall': { params: { readonly plugin: string }; result: null };
  'plugin.reload': { params: { readonly plugin: string }; result: null };
  'command.run': { params: { readonly command: string; readonly argument?: JsonValue }; result: JsonValue };
  'config.get': { params: { readonly key?: string }; result: JsonValue };
  'config.set': { params: { readonly key: string; readonly value: JsonValue }; result: null };
  'rendezvous.set': { params: { readonly url: string }; result: null };
  'node.stop': { params: Record<string, never>; result: null };
}

export type CommandName = keyof Commands;

/** An expected failure of a command: a stable code, one sentence, and what to do. */
export interface CommandFailure {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
}

/** What a UI knows of an engine, in its own process or at the other end of the control socket. */
export interface EngineClient {
  snapshot(): Promise<Snapshot>;
  /** Calls `listener` with each patch, in order, until disposed. */
  subscribe(listener: (patch: Patch) => void): Disposable;
  /** Rejects with an Error that has the fields of {@link CommandFailure}. */
  command<Name extends CommandName>(
    name: Name,
    params: Commands[Name]['params'],
    signal?: AbortSignal,
  ): Promise<Commands[Name]['result']>;
  /** The connection to the engine ended. */
  readonly closed: Promise<void>;
}

/** Lines of log kept in the state. */
export const LOG_LINES_KEPT = 1000;

/** The one reducer: the state after a patch. Unchanged parts keep their identity. */
export function applyPatch(snapshot: Snapshot, patch: Patch): Snapshot {
  const state: { -readonly [Part in keyof EngineState]: EngineState[Part] } = { ...snapshot.state };
  // Each collection is copied once, however many of its entries changed.
  const copies = new Map<CollectionName, { [id: string]: unknown }>();
  for (const change of patch.changes) {
    if ('section' in change) Object.assign(state, { [change.section]: change.value });
    else if ('log' in change) state.log = [...state.log, ...change.log].slice(-LOG_LINES_KEPT);
    else {
      const { collection, id, value } = change;
      const entries = copies.get(collection) ?? { ...state[collection] };
      copies.set(collection, entries);
      if (value === null) delete entries[id];
      else entries[id] = value;
    }
  }
  return { sequence: patch.sequence, state: Object.assign(state, Object.fromEntries(copies)) };
}
