import type { Engine, EngineEventName } from '@awl/engine';
import { EVENT_NAMES, eventTime, type NodeEvent } from './events.ts';

/** Passes the engine's events on, each with its name and time. */
export class EventHub implements Disposable {
  readonly #listeners = new Set<(event: NodeEvent) => void>();
  readonly #scope = new DisposableStack();

  constructor(engine: Engine) {
    for (const name of EVENT_NAMES) this.#scope.use(engine.on(name, (value) => this.#emit(name, value)));
  }

  on(listener: (event: NodeEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  [Symbol.dispose](): void {
    this.#scope.dispose();
    this.#listeners.clear();
  }

  #emit(event: EngineEventName, value: object): void {
    const seen = { event, time: eventTime(), ...value } as NodeEvent;
    for (const listener of this.#listeners) listener(seen);
  }
}
