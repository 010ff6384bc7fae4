import { applyPatch, type EngineClient, type EngineState, type Patch, type Snapshot } from '@awl/api';

/** How the UI stands to the engine: `stale` while a new snapshot is fetched, `closed` for good. */
export type Link = 'loading' | 'live' | 'stale' | 'closed';

/** What the screens render from; a new object for each change, at most four a second. */
export interface EngineView {
  readonly engine: EngineState | undefined;
  readonly link: Link;
  /** When the engine last said something, milliseconds since the Unix epoch. */
  readonly updatedAt: number;
  /** The present, as of this view: ages are counted from it. */
  readonly now: number;
  /** Why there is no state. */
  readonly problem?: string;
}

/** Time for a store; the default is the machine's. */
export interface StoreOptions {
  readonly now?: () => number;
  /** Shortest time between two views, milliseconds. */
  readonly intervalMs?: number;
  /** Time after which ages are counted anew although nothing changed, milliseconds. */
  readonly tickMs?: number;
}

/** Patches kept while a snapshot is on its way; more, and the snapshot is taken again. */
const PENDING_LIMIT = 1000;

/** The engine's state as the UI has it: one snapshot, then patches; a gap leads to a new snapshot. */
export class EngineStore implements Disposable {
  readonly #client: EngineClient;
  readonly #now: () => number;
  readonly #intervalMs: number;
  readonly #listeners = new Set<() => void>();
  readonly #subscription: Disposable;
  readonly #ticker: NodeJS.Timeout;
  #pending: Patch[] = [];
  #snapshot: Snapshot | undefined;
  #isFetching = false;
  #isDisposed = false;
  #link: Link = 'loading';
  #problem: string | undefined;
  #updatedAt: number;
  #view: EngineView;
  #publishedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: EngineClient, options: StoreOptions = {}) {
    this.#client = client;
    this.#now = options.now ?? Date.now;
    this.#intervalMs = options.intervalMs ?? 250;
    this.#updatedAt = this.#now();
    this.#view = { engine: undefined, link: 'loading', updatedAt: this.#updatedAt, now: this.#updatedAt };
    this.#subscription = client.subscribe((patch) => this.#receive(patch));
    this.#ticker = setInterval(() => this.#publishSoon(), options.tickMs ?? 10_000);
    void client.closed.then(
      () => this.#end(),
      () => this.#end(),
    );
    void this.#fetch();
  }

  /** For `useSyncExternalStore`. */
  readonly view = (): EngineView => this.#view;

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#subscription[Symbol.dispose]();
    clearInterval(this.#ticker);
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #receive(patch: Patch): void {
    if (this.#isFetching || !this.#snapshot) {
      if (this.#pending.length < PENDING_LIMIT) this.#pending.push(patch);
      return;
    }
    if (patch.sequence <= this.#snapshot.sequence) return;
    if (patch.sequence !== this.#snapshot.sequence + 1) {
      this.#pending = [patch];
      void this.#fetch();
      return;
    }
    this.#snapshot = applyPatch(this.#snapshot, patch);
    this.#updatedAt = this.#now();
    this.#publishSoon();
  }

  async #fetch(): Promise<void> {
    this.#isFetching = true;
    if (this.#snapshot) this.#link = 'stale';
    try {
      let snapshot = await this.#client.snapshot();
      for (const patch of this.#pending) {
        if (patch.sequence === snapshot.sequence + 1) snapshot = applyPatch(snapshot, patch);
      }
      const newest = this.#pending.at(-1)?.sequence ?? 0;
      this.#snapshot = snapshot;
      this.#pending = [];
      this.#isFetching = false;
      this.#updatedAt = this.#now();
      if (newest > snapshot.sequence) return await this.#fetch();
      if (this.#link !== 'closed') this.#link = 'live';
    } catch (error) {
      this.#isFetching = false;
      this.#problem = error instanceof Error ? error.message : String(error);
      this.#link = 'closed';
    }
    this.#publishSoon();
  }

  #end(): void {
    this.#link = 'closed';
    this.#publishSoon();
  }

  #publishSoon(): void {
    if (this.#isDisposed || this.#timer) return;
    const waitMs = this.#publishedAt + this.#intervalMs - performance.now();
    if (waitMs <= 0) this.#publish();
    else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#publish();
      }, waitMs);
    }
  }

  #publish(): void {
    this.#publishedAt = performance.now();
    const view = {
      engine: this.#snapshot?.state,
      link: this.#link,
      updatedAt: this.#updatedAt,
      now: this.#now(),
    };
    this.#view = this.#problem === undefined ? view : { ...view, problem: this.#problem };
    for (const listener of this.#listeners) listener();
  }
}
