import {
  applyPatch,
  type Change,
  type CommandFailure,
  type CommandName,
  type Commands,
  type EngineClient,
  type EngineState,
  type Patch,
  type Snapshot,
} from '@awl/api';
import { fakeEffects } from './fake-effects.ts';
import { fakeCrowd } from './fake-peers.ts';
import { fakeState } from './fake-state.ts';
import { FAKE_NOW } from './fake-time.ts';

/** What a fake client shows at its start. */
export interface FakeClientOptions {
  /** More peers than the made-up ones; default 0. */
  readonly peers?: number;
  /** The instant at which the state stands, milliseconds since the Unix epoch; default {@link FAKE_NOW}. */
  readonly now?: number;
  /** Changes the made-up state before anyone sees it. */
  readonly state?: (state: EngineState) => EngineState;
  /** Commands stay pending until {@link FakeClient.settle}; default false. */
  readonly slow?: boolean;
}

/** A command that a fake client was given. */
export interface GivenCommand {
  readonly name: CommandName;
  readonly params: Commands[CommandName]['params'];
}

/** An {@link EngineClient} without an engine: state made up, changed by the test, commands with plausible effects. */
export interface FakeClient extends EngineClient {
  /** The state as it stands. */
  readonly state: EngineState;
  /** All commands given so far, oldest first. */
  readonly given: readonly GivenCommand[];
  /** How often a snapshot was taken. */
  readonly snapshots: number;
  /** Sends one patch with these changes to all listeners. */
  push(...changes: readonly Change[]): void;
  /** As {@link push}, but the patch gets lost on the way: the next one has a gap before it. */
  lose(...changes: readonly Change[]): void;
  /** Commands of this name fail from now on; without a failure they work again. */
  fail(name: CommandName, failure?: CommandFailure): void;
  /** Lets pending commands of a slow client end. */
  settle(): void;
  /** The connection to the engine ends. */
  close(): void;
}

class Fake implements FakeClient {
  readonly given: GivenCommand[] = [];
  readonly closed: Promise<void>;
  snapshots = 0;
  readonly #now: number;
  readonly #slow: boolean;
  readonly #listeners = new Set<(patch: Patch) => void>();
  readonly #failures = new Map<CommandName, CommandFailure>();
  readonly #gates = new Set<() => void>();
  readonly #end: () => void;
  #snapshot: Snapshot;

  constructor(options: FakeClientOptions) {
    this.#now = options.now ?? FAKE_NOW;
    this.#slow = options.slow ?? false;
    const state = fakeState(this.#now);
    const whole = options.peers
      ? { ...state, peers: { ...state.peers, ...fakeCrowd(options.peers, this.#now) } }
      : state;
    this.#snapshot = { sequence: 1, state: options.state?.(whole) ?? whole };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#end = resolve;
  }

  get state(): EngineState {
    return this.#snapshot.state;
  }

  async snapshot(): Promise<Snapshot> {
    this.snapshots += 1;
    return this.#snapshot;
  }

  subscribe(listener: (patch: Patch) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  push(...changes: readonly Change[]): void {
    const patch = this.#next(changes);
    for (const listener of this.#listeners) listener(patch);
  }

  lose(...changes: readonly Change[]): void {
    this.#next(changes);
  }

  fail(name: CommandName, failure?: CommandFailure): void {
    if (failure) this.#failures.set(name, failure);
    else this.#failures.delete(name);
  }

  settle(): void {
    for (const open of this.#gates) open();
  }

  close(): void {
    this.#end();
  }

  async command<Name extends CommandName>(
    name: Name,
    params: Commands[Name]['params'],
    signal?: AbortSignal,
  ): Promise<Commands[Name]['result']> {
    signal?.throwIfAborted();
    this.given.push({ name, params });
    if (this.#slow) await this.#gate(signal);
    const failure = this.#failures.get(name);
    if (failure) throw Object.assign(new Error(failure.message), failure);
    const { changes, result } = fakeEffects(this.state, name, params, this.#now);
    if (changes.length > 0) this.push(...changes);
    return result;
  }

  #gate(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const aborted = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', aborted, { once: true });
    this.#gates.add(resolve);
    return promise.finally(() => {
      this.#gates.delete(resolve);
      signal?.removeEventListener('abort', aborted);
    });
  }

  #next(changes: readonly Change[]): Patch {
    const patch = { sequence: this.#snapshot.sequence + 1, changes };
    this.#snapshot = applyPatch(this.#snapshot, patch);
    return patch;
  }
}

/** Makes an {@link FakeClient}; the same options give the same state. */
export function fakeClient(options: FakeClientOptions = {}): FakeClient {
  return new Fake(options);
}
