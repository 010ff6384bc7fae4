import type { JsonValue, Preparation, Protocol, PunchStrategy, RaceState, Role } from '@awl/api';
import type { Owner } from '../registry.ts';
import type { Scope } from '../socket/broker.ts';
import type { CheckAgent } from '../socket/check-agent.ts';

/** A strategy that some plugin registered. */
export interface RegisteredStrategy {
  readonly strategy: PunchStrategy;
  readonly owner: Owner;
  /** What it punches. */
  readonly protocol: Protocol;
}

/** One strategy's part in one attempt: its sockets, its checks, what it prepared. */
export interface Lane extends RegisteredStrategy {
  readonly id: string;
  readonly role: Role;
  readonly scope: Scope;
  readonly agent: CheckAgent;
  preparation: Preparation;
  /** What the same strategy at the peer left for ours. */
  peerAdvert: JsonValue | undefined;
  /** Messages from there that nobody has read yet, at most {@link INBOX_LIMIT}. */
  readonly inbox: JsonValue[];
  onMessage: (() => void) | null;
  row: RaceState;
}

/** Messages of a peer's strategy kept until ours asks for them. */
export const INBOX_LIMIT = 16;

/** Takes a message from the peer's strategy; over the limit it is dropped. */
export function deliver(lane: Lane, message: JsonValue): void {
  if (lane.inbox.length >= INBOX_LIMIT) return;
  lane.inbox.push(message);
  lane.onMessage?.();
}
