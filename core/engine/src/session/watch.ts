import type { Clock } from '@awl/api';

/** The limit is counted in so many steps, so that a process that was stopped for long does not blame the path. */
const STEPS = 5;

/** Ends a path that makes no progress although something is outstanding, and pings one that has been silent. */
export class PathWatch implements Disposable {
  readonly #clock: Clock;
  readonly #stepMs: number;
  readonly #keepAliveSteps: number;
  readonly #events: { outstanding(): boolean; stalled(): void; idle(): void };
  #timer: Disposable;
  #stalledSteps = 0;
  #silentSteps = 0;

  constructor(
    clock: Clock,
    stallMs: number,
    keepAliveMs: number,
    events: { outstanding(): boolean; stalled(): void; idle(): void },
  ) {
    this.#clock = clock;
    this.#stepMs = stallMs / STEPS;
    this.#keepAliveSteps = keepAliveMs / this.#stepMs;
    this.#events = events;
    this.#timer = this.#schedule();
  }

  /** The peer confirmed something. */
  progressed(): void {
    this.#stalledSteps = 0;
  }

  /** Something arrived. */
  heard(): void {
    this.#silentSteps = 0;
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #schedule(): Disposable {
    return this.#clock.schedule(this.#stepMs, () => {
      this.#timer = this.#schedule();
      this.#step();
    });
  }

  #step(): void {
    if (!this.#events.outstanding()) this.#stalledSteps = 0;
    else if (this.#stalledSteps++ >= STEPS) return this.#events.stalled();
    if (++this.#silentSteps < this.#keepAliveSteps) return;
    this.#silentSteps = 0;
    this.#events.idle();
  }
}
