import type { Clock, Family, JsonValue, Logger, NatState, PortMapper, PortMapping, Protocol } from '@awl/api';
import type { StateStore } from '../client.ts';
import type { HookBus } from '../hook/hook-bus.ts';
import { whyUnreachable } from './external-address.ts';
import { aborted, MapperChoice, timeLimit } from './mapper-choice.ts';
import { isMapping, parseRecords, RECORDS_MAX, type MappingRecord } from './mapping-record.ts';

/** RFC 6886 §3.3 recommends two hours. */
const LIFETIME_S = 7200;
/** Each mapping is asked for again this often, so that a router that restarted or got another address is noticed. */
const CHECK_MS = 60_000;
const CHECK_MIN_MS = 5000;
const MAP_MS = 10_000;
const REFRESH_MS = 5000;
const UNMAP_MS = 3000;
/** A router below another NAT stays there for a while. */
const UNREACHABLE_MS = 300_000;
/** A record that could not be removed is forgotten: its lease has ended, or the router will not be seen again. */
const RECORD_MAX_AGE_MS = 7 * 24 * 3_600_000;

/** What is to be reachable from outside. */
export interface MappingWish {
  readonly protocol: Protocol;
  readonly internalPort: number;
  /** Default 4. For IPv6 the mapping is an opening in the router's firewall. */
  readonly family?: Family;
}

/** Where mappings are remembered across a crash. */
export interface MappingStorage {
  load(): Promise<JsonValue | undefined>;
  save(value: JsonValue): Promise<void>;
}

export interface MappingKeeperParts {
  /** The mappers that are registered now. */
  readonly mappers: () => Iterable<PortMapper>;
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number;
  readonly storage: MappingStorage;
  readonly hooks: HookBus;
  readonly state: StateStore;
  readonly log: Logger;
}

/** A mapping that a router granted. */
interface Held {
  readonly mapper: PortMapper;
  readonly mapping: PortMapping;
  /** By the clock. */
  readonly expiresAtMs: number;
}

/** A wish that somebody has. */
interface Entry {
  readonly wish: Required<MappingWish>;
  holders: number;
  held: Held | undefined;
  making: Promise<void> | undefined;
}

/**
 * Holds port mappings: makes one by the best mapper that has a router, asks for it again every minute or at half of its life, whichever
 * comes first, replaces it when the router lost it, and removes it when nobody holds it, at exit, and at the next start after a crash.
 */
export class MappingKeeper {
  readonly #parts: MappingKeeperParts;
  readonly #choice: MapperChoice;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Set<Promise<void>>();
  readonly #reasons = new Map<string, string>();
  #records: MappingRecord[] = [];
  #leftovers: MappingRecord[] = [];
  #saving: Promise<void> = Promise.resolve();
  #timer: Disposable | undefined;
  #closed = false;

  constructor(parts: MappingKeeperParts) {
    this.#parts = parts;
    this.#choice = new MapperChoice(parts.mappers, parts.clock);
  }

  /** Removes what a crash left behind, as far as its mappers are registered; the others' when they are used. */
  async start(): Promise<void> {
    const document = await this.#parts.storage.load().catch(() => undefined);
    const oldest = this.#parts.wallClock() - RECORD_MAX_AGE_MS;
    this.#leftovers = parseRecords(document).filter(({ madeAt }) => madeAt > oldest);
    await Promise.all([...this.#parts.mappers()].map((mapper) => this.#removeLeftovers(mapper)));
  }

  /** The mappings held now; each can be reached from the internet, as far as the router's external address tells. */
  mappings(): readonly PortMapping[] {
    return this.entries().map(({ mapper: _, expiresAt: __, ...mapping }) => mapping);
  }

  /** The same as they stand in the state. */
  entries(): NatState['mappings'] {
    const leftMs = ({ expiresAtMs }: Held): number => expiresAtMs - this.#parts.clock.now();
    return [...this.#entries.values()].flatMap(({ held }) =>
      held
        ? [
            {
              ...held.mapping,
              mapper: held.mapper.id,
              expiresAt: Math.round(this.#parts.wallClock() + leftMs(held)),
            },
          ]
        : [],
    );
  }

  /** By mapper: why it is of no use here, for a person. */
  reasons(): ReadonlyMap<string, string> {
    return this.#reasons;
  }

  /** Maps a port; undefined where no router can, or when `signal` aborts first. What was granted is held until {@link release}. */
  async acquire(wish: MappingWish, signal: AbortSignal): Promise<PortMapping | undefined> {
    if (signal.aborted || this.#closed) return undefined;
    const entry = this.#entry(wish);
    if (!entry) return undefined;
    entry.holders += 1;
    if (!entry.held) await Promise.race([this.#make(entry), aborted(signal)]);
    if (entry.held && !signal.aborted) return entry.held.mapping;
    this.release(wish);
    return undefined;
  }

  /** Gives back what {@link acquire} granted; the last holder's release removes the mapping from the router. */
  release(wish: MappingWish): void {
    const entry = this.#entries.get(keyOf(wish));
    if (!entry || --entry.holders > 0) return;
    this.#entries.delete(keyOf(wish));
    const { held } = entry;
    if (!held) return;
    entry.held = undefined;
    this.#track(this.#unmap(held));
    this.#changed(held.mapper, null);
  }

  /** Asks for every mapping again, now. `anew`: the network changed, so the routers are looked for anew, too. */
  async check({ anew = false }: { readonly anew?: boolean } = {}): Promise<void> {
    if (anew) for (const mapper of this.#parts.mappers()) this.#choice.forget(mapper);
    await Promise.all([...this.#entries.values()].map((entry) => this.#checkOne(entry, anew)));
    this.#schedule();
  }

  /** Takes a mapper's mappings back, before its plugin is disabled; other mappers take over. */
  async removeMapper(mapper: PortMapper): Promise<void> {
    const orphans = [...this.#entries.values()].filter(({ held }) => held?.mapper === mapper);
    await Promise.all(
      orphans.map(async (entry) => {
        const { held } = entry;
        entry.held = undefined;
        if (held) await this.#unmap(held);
        this.#changed(mapper, null);
      }),
    );
    this.#reasons.delete(mapper.id);
  }

  /** Removes every mapping: at exit. */
  async releaseAll(): Promise<void> {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    const held = [...this.#entries.values()].flatMap((entry) => entry.held ?? []);
    this.#entries.clear();
    await Promise.all([...held.map((each) => this.#unmap(each)), ...this.#closing]);
    await this.#saving;
  }

  #entry(wish: MappingWish): Entry | undefined {
    const key = keyOf(wish);
    const known = this.#entries.get(key);
    if (known || this.#entries.size >= RECORDS_MAX) return known;
    const { protocol, internalPort, family = 4 } = wish;
    const entry: Entry = {
      wish: { protocol, internalPort, family },
      holders: 0,
      held: undefined,
      making: undefined,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  #make(entry: Entry): Promise<void> {
    entry.making ??= this.#tryMappers(entry).finally(() => (entry.making = undefined));
    return entry.making;
  }

  async #tryMappers(entry: Entry): Promise<void> {
    using limit = timeLimit(this.#parts.clock, 2 * MAP_MS);
    for await (const mapper of this.#choice.best(entry.wish.family, limit.signal)) {
      await this.#removeLeftovers(mapper);
      const held = await this.#map(mapper, entry.wish);
      if (!held) continue;
      if (this.#entries.get(keyOf(entry.wish)) !== entry) return this.#track(this.#unmap(held));
      entry.held = held;
      this.#changed(mapper, held.mapping);
      return;
    }
  }

  async #map(
    mapper: PortMapper,
    { protocol, internalPort, family }: Required<MappingWish>,
  ): Promise<Held | undefined> {
    const request = { protocol, internalPort, externalPort: internalPort, lifetimeS: LIFETIME_S };
    const granted = await this.#ask(mapper, MAP_MS, (signal) => mapper.map(request, signal));
    if (!granted) {
      this.#choice.forget(mapper);
      return undefined;
    }
    const held = this.#heldNow(mapper, granted);
    this.#remember(held);
    const reason =
      granted.lifetimeS > 0
        ? whyUnreachable(granted.externalAddress, family)
        : 'the router maps for no time at all';
    if (reason === undefined) {
      this.#reasons.delete(mapper.id);
      return held;
    }
    this.#explain(mapper, reason);
    this.#choice.bar(mapper, UNREACHABLE_MS);
    this.#track(this.#unmap(held));
    return undefined;
  }

  async #checkOne(entry: Entry, anew: boolean): Promise<void> {
    const { held, wish } = entry;
    if (!held) return await this.#make(entry);
    const { mapper, mapping } = held;
    const again = await this.#ask(mapper, REFRESH_MS, (signal) =>
      mapper.refresh({ ...mapping, lifetimeS: LIFETIME_S }, signal),
    );
    if (entry.held !== held) return; // released meanwhile
    const reason = again && whyUnreachable(again.externalAddress, wish.family);
    if (again && again.lifetimeS > 0 && reason === undefined) {
      entry.held = this.#heldNow(mapper, again);
      this.#remember(entry.held, held);
      if (!samePlace(again, mapping)) this.#changed(mapper, again);
      return;
    }
    if (reason !== undefined) {
      this.#explain(mapper, reason);
      this.#choice.bar(mapper, UNREACHABLE_MS);
    } else if (!anew && this.#parts.clock.now() < held.expiresAtMs) return; // the router may only be starting
    else this.#choice.forget(mapper);
    entry.held = undefined;
    this.#track(this.#unmap(held));
    this.#changed(mapper, null);
    await this.#make(entry);
  }

  #heldNow(mapper: PortMapper, mapping: PortMapping): Held {
    return { mapper, mapping, expiresAtMs: this.#parts.clock.now() + mapping.lifetimeS * 1000 };
  }

  /** Asks a mapper for a mapping, within a time; undefined, and explained, when it fails. */
  async #ask(
    mapper: PortMapper,
    limitMs: number,
    ask: (signal: AbortSignal) => Promise<PortMapping>,
  ): Promise<PortMapping | undefined> {
    using limit = timeLimit(this.#parts.clock, limitMs);
    try {
      const mapping = await Promise.race([ask(limit.signal), rejection(limit.signal)]);
      if (isMapping(mapping)) return mapping;
      throw new Error('the plugin gave something that is no mapping');
    } catch (error) {
      this.#explain(mapper, messageOf(error));
      return undefined;
    }
  }

  async #unmap({ mapper, mapping }: Held): Promise<void> {
    if (await this.#tryUnmap(mapper, mapping)) this.#forget(mapping);
  }

  async #tryUnmap(mapper: PortMapper, mapping: PortMapping): Promise<boolean> {
    using limit = timeLimit(this.#parts.clock, UNMAP_MS);
    try {
      await Promise.race([mapper.unmap(mapping, limit.signal), rejection(limit.signal)]);
      return true;
    } catch (error) {
      this.#parts.log.warn(`${mapper.id} could not remove a mapping: ${messageOf(error)}`);
      return false;
    }
  }

  async #removeLeftovers(mapper: PortMapper): Promise<void> {
    const mine = this.#leftovers.filter((record) => record.mapper === mapper.id);
    this.#leftovers = this.#leftovers.filter((record) => record.mapper !== mapper.id);
    // What could not be removed now is kept in the store for the next start, not tried again beside new mappings of the same port.
    this.#records.push(...mine);
    await Promise.all(
      mine.map(async ({ mapping }) => {
        if (await this.#tryUnmap(mapper, mapping)) this.#forget(mapping);
      }),
    );
  }

  #remember({ mapper, mapping }: Held, before?: Held): void {
    const same = before?.mapping.handle === mapping.handle && samePlace(before.mapping, mapping);
    if (same) return;
    const record: MappingRecord = { mapper: mapper.id, mapping, madeAt: this.#parts.wallClock() };
    const others = this.#records.filter(
      (each) => each.mapping !== before?.mapping && !sameInside(each, record),
    );
    this.#records = [...others, record].slice(-RECORDS_MAX);
    this.#save();
  }

  #forget({ handle, protocol, internalPort }: PortMapping): void {
    this.#records = this.#records.filter(
      ({ mapping }) =>
        mapping.handle !== handle || mapping.protocol !== protocol || mapping.internalPort !== internalPort,
    );
    this.#save();
  }

  #save(): void {
    const document = JSON.parse(JSON.stringify([...this.#records, ...this.#leftovers])) as JsonValue;
    this.#saving = this.#saving
      .then(() => this.#parts.storage.save(document))
      .catch((error: unknown) =>
        this.#parts.log.warn(`mappings cannot be remembered for the next start: ${messageOf(error)}`),
      );
  }

  #explain(mapper: PortMapper, reason: string): void {
    if (this.#reasons.get(mapper.id) === reason) return;
    this.#reasons.set(mapper.id, reason);
    this.#parts.log.warn(`${mapper.id}: ${reason}`);
  }

  #changed(mapper: PortMapper, mapping: PortMapping | null): void {
    const { state, hooks } = this.#parts;
    state.apply({ section: 'nat', value: { ...state.state.nat, mappings: this.entries() } });
    hooks.emit('mapping.didChange', { mapper: mapper.id, mapping });
    this.#schedule();
  }

  #schedule(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#closed || this.#entries.size === 0) return;
    const halves = [...this.#entries.values()].flatMap(({ held }) =>
      held ? held.mapping.lifetimeS * 500 : [],
    );
    const waitMs = Math.max(CHECK_MIN_MS, Math.min(CHECK_MS, ...halves));
    this.#timer = this.#parts.clock.schedule(waitMs, () => void this.check());
  }

  #track(work: Promise<void>): void {
    this.#closing.add(work);
    void work.finally(() => this.#closing.delete(work));
  }
}

function keyOf({ protocol, internalPort, family = 4 }: MappingWish): string {
  return `${protocol}/${family}/${internalPort}`;
}

function samePlace(a: PortMapping, b: PortMapping): boolean {
  return a.externalAddress === b.externalAddress && a.externalPort === b.externalPort;
}

function sameInside(a: MappingRecord, b: MappingRecord): boolean {
  return (
    a.mapper === b.mapper &&
    a.mapping.protocol === b.mapping.protocol &&
    a.mapping.internalPort === b.mapping.internalPort
  );
}

async function rejection(signal: AbortSignal): Promise<never> {
  await aborted(signal);
  throw signal.reason;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
