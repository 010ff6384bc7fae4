import type {
  AttemptState,
  BehaviourVector,
  Candidate,
  PeerState,
  RaceState,
  Role,
  TraceLine,
} from '@awl/api';
import type { AwlError } from '@awl/wire';
import type { StateStore } from '../client.ts';

/** Attempts kept in the state. */
const ATTEMPTS_KEPT = 50;
const TRACE_LINES_KEPT = 200;
const TRACE_LINE_CHARS = 300;

/** One attempt as a person sees it: the race while it runs, and the decision trace. */
export class AttemptLog {
  readonly #store: StateStore;
  readonly #wallClock: () => number;
  #attempt: AttemptState;

  constructor(
    store: StateStore,
    wallClock: () => number,
    first: {
      readonly id: string;
      readonly peer: string;
      readonly role: Role;
      readonly local: BehaviourVector;
    },
  ) {
    this.#store = store;
    this.#wallClock = wallClock;
    this.#attempt = {
      ...first,
      startedAt: wallClock(),
      status: 'signalling',
      localCandidates: [],
      remoteCandidates: [],
      race: [],
      trace: [],
    };
    this.#publish();
    const attempts = Object.values(store.state.attempts).sort((a, b) => a.startedAt - b.startedAt);
    for (const old of attempts.slice(0, Math.max(0, attempts.length - ATTEMPTS_KEPT)))
      store.apply({ collection: 'attempts', id: old.id, value: null });
  }

  get state(): AttemptState {
    return this.#attempt;
  }

  trace(step: TraceLine['step'], text: string): void {
    const line: TraceLine = { at: this.#wallClock(), step, text: text.slice(0, TRACE_LINE_CHARS) };
    this.update({ trace: [...this.#attempt.trace, line].slice(-TRACE_LINES_KEPT) });
  }

  candidates(localCandidates: readonly Candidate[], remoteCandidates: readonly Candidate[]): void {
    this.update({ localCandidates, remoteCandidates });
  }

  row(row: RaceState): void {
    const others = this.#attempt.race.filter(({ strategy }) => strategy !== row.strategy);
    const at = this.#attempt.race.findIndex(({ strategy }) => strategy === row.strategy);
    const race =
      at < 0 ? [...others, row] : this.#attempt.race.map((known, index) => (index === at ? row : known));
    this.update({ race });
  }

  end(failure?: AwlError): void {
    this.update({
      endedAt: this.#wallClock(),
      status: failure ? 'failed' : 'connected',
      ...(failure ? { code: failure.code, reason: failure.message, remedy: failure.remedy } : {}),
    });
  }

  update(change: Partial<AttemptState>): void {
    this.#attempt = { ...this.#attempt, ...change };
    this.#publish();
  }

  #publish(): void {
    this.#store.apply({ collection: 'attempts', id: this.#attempt.id, value: this.#attempt });
  }
}

/** A peer of which nothing is known but its id and name. */
export function newPeerState(id: string, name: string): PeerState {
  return {
    id,
    name,
    status: 'offline',
    remembered: false,
    pathHistory: [],
    sentBytes: 0,
    receivedBytes: 0,
    sendRateBps: 0,
    receiveRateBps: 0,
    throughput: [],
    streams: 0,
  };
}
