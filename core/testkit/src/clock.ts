import type { Clock } from '@awl/api';
import { EventHeap } from './heap.ts';

/** What a lean event is delivered to: see {@link VirtualClock.post}. */
export interface Receiver<T> {
  handle(argument: T): void;
}

/** When {@link VirtualClock.run} stops, whichever comes first. */
export interface RunLimit {
  /** Virtual milliseconds. The clock stands there afterwards, even if nothing was left to do before. */
  readonly untilMs?: number;
  /** Asked whenever code outside the network has run. */
  readonly until?: () => boolean;
}

/** Cancelled events stay in the heap till their time; more of them than this are taken out at once. */
const CANCELLED_MAX = 4096;

/**
 * A clock that jumps from event to event. After each event that ran code of the engine, all promises, ticks and immediates settle before
 * time goes on, so that asynchronous code takes no virtual time and runs in the same order every time.
 */
export class VirtualClock implements Clock {
  readonly #heap = new EventHeap<Event>();
  #nowMs = 0;
  #order = 0;
  #cancelled = 0;
  #touched = true;
  #running = false;
  /** Called when an event was added: a real-time driver re-arms its timer. */
  onSchedule: (() => void) | null = null;

  now(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, task: () => void): Disposable {
    const event = new Event(this.#nowMs + positive(delayMs), this.#order++, this, task, null, null);
    this.#heap.push(event);
    this.onSchedule?.();
    return event;
  }

  /**
   * Hands `argument` to `target` after `delayMs`, without a closure and without letting promises settle afterwards: for packets in flight.
   * A target that calls code outside the network says so with {@link touch}.
   */
  post<T>(delayMs: number, target: Receiver<T>, argument: T): void {
    this.#heap.push(new Event(this.#nowMs + positive(delayMs), this.#order++, this, null, target, argument));
    this.onSchedule?.();
  }

  /** Says that code outside the network was called, so promises may have to settle. */
  touch(): void {
    this.#touched = true;
  }

  /** Milliseconds to the next event; undefined when there is none. */
  nextInMs(): number | undefined {
    const next = this.#heap.peek();
    return next && next.at - this.#nowMs;
  }

  /** Runs events until a limit is reached (true where it was `until`) or none are left. */
  async run(limit: RunLimit = {}): Promise<boolean> {
    if (this.#running) throw new Error('the virtual clock is running already');
    this.#running = true;
    const { untilMs = Infinity, until } = limit;
    try {
      for (;;) {
        await settle();
        this.#touched = false;
        if (until?.()) return true;
        if (!this.#runTouchFree(untilMs)) break;
      }
      if (untilMs !== Infinity) this.#nowMs = Math.max(this.#nowMs, untilMs);
      return false;
    } finally {
      this.#running = false;
    }
  }

  /** Runs until `predicate` holds. Rejects when it does not within `withinMs` virtual milliseconds. */
  async runUntil(predicate: () => boolean, withinMs = 600_000): Promise<void> {
    if (await this.run({ until: predicate, untilMs: this.#nowMs + withinMs })) return;
    throw new Error(
      `nothing more will happen: the condition did not come true within ${withinMs} virtual ms`,
    );
  }

  /** Runs until `promise` settles, and passes on what it settled to. */
  async complete<T>(promise: Promise<T>, withinMs = 600_000): Promise<T> {
    let settled = false;
    const watch = (): void => {
      settled = true;
    };
    promise.then(watch, watch);
    await this.runUntil(() => settled, withinMs);
    return await promise;
  }

  /** @internal */
  cancelled(): void {
    if (++this.#cancelled < CANCELLED_MAX || this.#cancelled < this.#heap.size / 2) return;
    this.#heap.filter((event) => event.task !== null || event.target !== null);
    this.#cancelled = 0;
  }

  /** Runs events up to and including the first that touches outside code; false when none are left before `untilMs`. */
  #runTouchFree(untilMs: number): boolean {
    for (;;) {
      const event = this.#heap.peek();
      if (!event || event.at > untilMs) return false;
      this.#heap.pop();
      this.#nowMs = event.at;
      const { task, target } = event;
      if (task) {
        event.task = null;
        task();
        return true;
      }
      if (!target) this.#cancelled--;
      else {
        target.handle(event.argument);
        if (this.#touched) return true;
      }
    }
  }
}

class Event implements Disposable {
  readonly at: number;
  readonly order: number;
  readonly #clock: VirtualClock;
  task: (() => void) | null;
  readonly target: Receiver<unknown> | null;
  readonly argument: unknown;

  constructor(
    at: number,
    order: number,
    clock: VirtualClock,
    task: (() => void) | null,
    target: Receiver<unknown> | null,
    argument: unknown,
  ) {
    this.at = at;
    this.order = order;
    this.#clock = clock;
    this.task = task;
    this.target = target;
    this.argument = argument;
  }

  [Symbol.dispose](): void {
    if (!this.task) return;
    this.task = null;
    this.#clock.cancelled();
  }
}

/** A clock with another origin, as another machine has; all else is `clock`'s. */
export function shiftedClock(clock: Clock, offsetMs: number): Clock {
  return { now: () => clock.now() + offsetMs, schedule: (delayMs, task) => clock.schedule(delayMs, task) };
}

function positive(delayMs: number): number {
  return delayMs > 0 ? delayMs : 0;
}

/** The event loop runs an immediate only when no promise job and no tick is left: one is enough, however long the chain. */
function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
