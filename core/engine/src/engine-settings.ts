import type { JsonValue } from '@awl/api';
import type { NodeBudget } from './socket/budget.ts';

/** What the user may change of an engine at run time, by its dotted keys. Values were checked by their owner; others are ignored. */
export class EngineSettings {
  readonly #budget: NodeBudget;
  readonly #disabled = new Set<string>();
  /** Searches of a whole range of ports are allowed: `probing.exhaustive`. */
  exhaustive = false;
  /** What attempts may use unless they say otherwise: `transport`. */
  transport: 'any' | 'udp' | 'tcp' = 'any';
  /** Streams per session: `limits.streams`. */
  streams: number | undefined;

  constructor(budget: NodeBudget) {
    this.#budget = budget;
  }

  /** Whether plans may use a strategy: `strategies.NAME.enabled`. `id` is with or without `@major`. */
  allows(id: string): boolean {
    return !this.#disabled.has(id.split('@')[0]!);
  }

  apply(settings: { readonly [key: string]: JsonValue }): void {
    const { limits } = this.#budget;
    const number = (key: string): number | undefined =>
      typeof settings[key] === 'number' ? settings[key] : undefined;
    this.#budget.limits = {
      sockets: number('limits.sockets') ?? limits.sockets,
      probesPerSecond: number('limits.probesPerSecond') ?? limits.probesPerSecond,
    };
    this.streams = number('limits.streams') ?? this.streams;
    const { transport, 'probing.exhaustive': exhaustive } = settings;
    if (transport === 'any' || transport === 'udp' || transport === 'tcp') this.transport = transport;
    if (typeof exhaustive === 'boolean') this.exhaustive = exhaustive;
    for (const [key, value] of Object.entries(settings)) {
      const name = /^strategies\.(.+)\.enabled$/.exec(key)?.[1];
      if (name === undefined) continue;
      if (value === false) this.#disabled.add(name);
      else this.#disabled.delete(name);
    }
  }
}
