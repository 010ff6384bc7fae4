import type { EngineEventName, EngineEvents } from './engine.ts';

/** What the engine reports as it happens, for the commands' NDJSON. */
export class EngineEventBus {
  readonly #listeners = new Map<EngineEventName, Set<(value: never) => void>>();

  on<Name extends EngineEventName>(name: Name, listener: (value: EngineEvents[Name]) => void): Disposable {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  emit<Name extends EngineEventName>(name: Name, value: EngineEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(value as never);
  }
}
