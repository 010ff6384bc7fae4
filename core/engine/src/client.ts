import { applyPatch, type Change, type Clock, type EngineState, type Patch, type Snapshot } from '@awl/api';

/** At most four patches a second reach a UI. */
const PATCH_INTERVAL_MS = 250;

/**
 * The engine's state and its changes. Changes made within a quarter of a second travel as one patch, of which only the last value of each
 * entry is kept: so a flood of updates costs a UI no more than a trickle.
 */
export class StateStore implements Disposable {
  readonly #clock: Clock;
  readonly #listeners = new Set<(patch: Patch) => void>();
  #snapshot: Snapshot;
  #pending = new Map<string, Change>();
  #logChange: Extract<Change, { log: unknown }> | undefined;
  #timer: Disposable | undefined;
  #lastPatchAt = -Infinity;

  constructor(clock: Clock, initial: EngineState) {
    this.#clock = clock;
    this.#snapshot = { sequence: 0, state: initial };
  }

  /** The state with every change in it, also those no patch has carried yet. */
  get state(): EngineState {
    return this.#pending.size > 0 || this.#logChange
      ? applyPatch(this.#snapshot, this.#drain(false)).state
      : this.#snapshot.state;
  }

  snapshot(): Snapshot {
    this.#flush();
    return this.#snapshot;
  }

  apply(...changes: readonly Change[]): void {
    for (const change of changes) {
      if ('log' in change) this.#logChange = { log: [...(this.#logChange?.log ?? []), ...change.log] };
      else
        this.#pending.set('section' in change ? change.section : `${change.collection}/${change.id}`, change);
    }
    const waitMs = Math.max(0, this.#lastPatchAt + PATCH_INTERVAL_MS - this.#clock.now());
    this.#timer ??= this.#clock.schedule(waitMs, () => this.#flush());
  }

  subscribe(listener: (patch: Patch) => void): Disposable {
    this.#flush();
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#listeners.clear();
  }

  #drain(clear: boolean): Patch {
    const changes: Change[] = [...this.#pending.values()];
    if (this.#logChange) changes.push(this.#logChange);
    if (clear) {
      this.#pending = new Map();
      this.#logChange = undefined;
    }
    return { sequence: this.#snapshot.sequence + 1, changes };
  }

  #flush(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#pending.size === 0 && !this.#logChange) return;
    const patch = this.#drain(true);
    this.#snapshot = applyPatch(this.#snapshot, patch);
    this.#lastPatchAt = this.#clock.now();
    for (const listener of this.#listeners) listener(patch);
  }
}
