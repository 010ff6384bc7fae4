import type { Clock, Family, Logger, PortMapper, PortMapping } from '@awl/api';
import { whyUnreachable } from './external-address.ts';
import { callMapper } from './mapper-call.ts';
import { isMapping } from './mapping-records.ts';

/** Asks mappers for mappings, judges what they grant, and remembers for a person why one is of no use. */
export class MapperVerdicts {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #stop: AbortSignal;
  readonly #reasons = new Map<string, string>();

  constructor(clock: Clock, log: Logger, stop: AbortSignal) {
    this.#clock = clock;
    this.#log = log;
    this.#stop = stop;
  }

  /** By mapper: why it is of no use here. */
  get reasons(): ReadonlyMap<string, string> {
    return this.#reasons;
  }

  forget(mapper: PortMapper): void {
    this.#reasons.delete(mapper.id);
  }

  /** Asks a mapper for a mapping, within a time; undefined, and explained, when it fails. */
  async ask(
    mapper: PortMapper,
    limitMs: number,
    call: (signal: AbortSignal) => Promise<PortMapping>,
  ): Promise<PortMapping | undefined> {
    try {
      const mapping = await callMapper(this.#clock, limitMs, call, this.#stop);
      if (isMapping(mapping)) return mapping;
      throw new Error('the plugin gave something that is no mapping');
    } catch (error) {
      if (!this.#stop.aborted) this.#explain(mapper, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  /** Whether the internet can reach this mapping; explained where not. */
  isOfUse(mapper: PortMapper, { lifetimeS, externalAddress }: PortMapping, family: Family): boolean {
    const reason =
      lifetimeS > 0 ? whyUnreachable(externalAddress, family) : 'the router maps for no time at all';
    if (reason === undefined) this.forget(mapper);
    else this.#explain(mapper, reason);
    return reason === undefined;
  }

  /** Once per reason: a check a minute must not fill the log. */
  #explain(mapper: PortMapper, reason: string): void {
    if (this.#reasons.get(mapper.id) === reason) return;
    this.#reasons.set(mapper.id, reason);
    this.#log.warn(`${mapper.id}: ${reason}`);
  }
}
