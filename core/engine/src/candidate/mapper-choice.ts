import type { Clock, Family, MapperGateway, PortMapper } from '@awl/api';
import { callMapper } from './mapper-call.ts';

/** PCP and NAT-PMP take one small packet each way, and the router removes what is not renewed; UPnP is asked last. */
const PREFERENCE: { readonly [id: string]: { readonly family: Family; readonly rank: number } } = {
  pcp: { family: 4, rank: 0 },
  'nat-pmp': { family: 4, rank: 1 },
  upnp: { family: 4, rank: 2 },
  'pcp-ipv6': { family: 6, rank: 0 },
  'upnp-ipv6': { family: 6, rank: 1 },
};
/** Mappers of other plugins map IPv4, after the built-in ones. */
const OTHERS = { family: 4, rank: 3 } as const;

/** Where there was no router, one is looked for again after this time. */
const ABSENT_MS = 60_000;
const DISCOVER_MS = 4000;

interface Found {
  readonly gateway: Promise<MapperGateway | undefined>;
  /** By the clock; set when there was none. */
  absentSinceMs?: number;
}

/** Knows which mappers have a router here, best first. */
export class MapperChoice {
  readonly #mappers: () => Iterable<PortMapper>;
  readonly #clock: Clock;
  readonly #found = new WeakMap<PortMapper, Found>();
  /** Mappers whose mappings are of no use till then. */
  readonly #barred = new WeakMap<PortMapper, number>();

  constructor(mappers: () => Iterable<PortMapper>, clock: Clock) {
    this.#mappers = mappers;
    this.#clock = clock;
  }

  /** The mappers of a family that found a router, best first; each as soon as those before it have answered. */
  async *best(family: Family, signal: AbortSignal): AsyncGenerator<PortMapper> {
    const mappers = [...this.#mappers()]
      .filter((mapper) => ranked(mapper).family === family && !this.#isBarred(mapper))
      .sort((a, b) => ranked(a).rank - ranked(b).rank);
    const asked = mappers.map((mapper) => ({ mapper, gateway: this.gateway(mapper) }));
    for (const { mapper, gateway } of asked) {
      if (signal.aborted) return;
      if (await gateway) yield mapper;
    }
  }

  /** Looks for this mapper's router anew when it is next needed. */
  forget(mapper: PortMapper): void {
    this.#found.delete(mapper);
    this.#barred.delete(mapper);
  }

  /** Leaves this mapper out for a while. */
  bar(mapper: PortMapper, forMs: number): void {
    this.#barred.set(mapper, this.#clock.now() + forMs);
  }

  #isBarred(mapper: PortMapper): boolean {
    return (this.#barred.get(mapper) ?? -Infinity) > this.#clock.now();
  }

  /** The mapper's router; undefined where there is none. Known ones are not looked for again until {@link forget}. */
  gateway(mapper: PortMapper): Promise<MapperGateway | undefined> {
    const known = this.#found.get(mapper);
    if (!known) return this.#discover(mapper).gateway;
    // Nobody waits for a router that was not there a minute ago; the next one who asks profits.
    if (this.#clock.now() - (known.absentSinceMs ?? Infinity) >= ABSENT_MS) this.#discover(mapper);
    return known.gateway;
  }

  #discover(mapper: PortMapper): Found {
    const found: Found = { gateway: this.#ask(mapper) };
    this.#found.set(mapper, found);
    void found.gateway.then((gateway) => {
      if (!gateway) found.absentSinceMs = this.#clock.now();
    });
    return found;
  }

  #ask(mapper: PortMapper): Promise<MapperGateway | undefined> {
    return callMapper(this.#clock, DISCOVER_MS, (signal) => mapper.discover(signal)).catch(() => undefined);
  }
}

function ranked({ id }: PortMapper): { readonly family: Family; readonly rank: number } {
  return PREFERENCE[id] ?? OTHERS;
}
