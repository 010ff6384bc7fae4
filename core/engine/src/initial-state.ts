import { UNKNOWN_BEHAVIOUR, type BehaviourVector, type EngineState } from '@awl/api';
import type { EngineParts } from './engine.ts';

const UNKNOWN_VECTOR: BehaviourVector = { udp: UNKNOWN_BEHAVIOUR, tcp: UNKNOWN_BEHAVIOUR };

/** The state of an engine that has just been made. */
export function initialState({
  name,
  identity,
  version,
  wallClock,
  simulated = false,
}: EngineParts): EngineState {
  return {
    node: { name, peerId: identity.peerId, version, startedAt: wallClock(), simulated },
    rendezvous: { url: '', status: 'none' },
    nat: { status: 'unknown', behaviour: UNKNOWN_VECTOR, evidence: [], publicAddresses: [], mappings: [] },
    peers: {},
    attempts: {},
    shares: {},
    forwards: {},
    plugins: {},
    views: {},
    statusItems: {},
    commands: {},
    log: [],
  };
}
