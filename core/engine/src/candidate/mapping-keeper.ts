import type {
  Clock,
  Family,
  Logger,
  MapperGateway,
  NatState,
  PortMapper,
  PortMapping,
  Protocol,
} from '@awl/api';
import type { StateStore } from '../client.ts';
import type { HookBus } from '../hook/hook-bus.ts';
import { aborted, callMapper } from './mapper-call.ts';
import { MapperChoice } from './mapper-choice.ts';
import { MapperVerdicts } from './mapper-verdicts.ts';
import { MappingRecords, RECORDS_MAX, type MappingStorage } from './mapping-records.ts';

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
/** So many checks in a row without an answer, and the mapping counts as lost. */
const FAILURES_MAX = 3;

/** What is to be reachable from outside. */
export interface MappingWish {
  readonly protocol: Protocol;
  readonly internalPort: number;
  /** Default 4. For IPv6 the mapping is an opening in the router's firewall. */
  readonly family?: Family;
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
  /** Checks in a row without an answer. */
  failures: number;
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
  readonly #records: MappingRecords;
  readonly #entries = new Map<string, Entry>();
  readonly #verdicts: MapperVerdicts;
  readonly #unmapping = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  /** What a crash left behind, by mapper; taken out when its removal is tried, which is once. */
  readonly #leftovers = new Map<string, PortMapping[]>();
  #loaded: Promise<void> = Promise.resolve();
  #timer: Disposable | undefined;

  constructor(parts: MappingKeeperParts) {
    this.#parts = parts;
    this.#choice = new MapperChoice(parts.mappers, parts.clock);
    this.#verdicts = new MapperVerdicts(parts.clock, parts.log, this.#stop.signal);
    this.#records = new MappingRecords(parts.storage, parts.wallClock, parts.log);
  }

  /** Reads what a crash left behind, and removes what mappers that are registered can; the others' in {@link addMapper}. */
  start(): Promise<void> {
    this.#loaded = this.#load();
    return this.#loaded;
  }

  /** Takes a mapper up: removes what a crash left behind of it, and looks for its router; undefined where there is none. */
  async addMapper(mapper: PortMapper): Promise<MapperGateway | undefined> {
    await this.#loaded;
    await this.#removeLeftovers(mapper);
    return await this.#choice.gateway(mapper);
  }

  /** The mappings held now; each can be reached from the internet, as far as the router's external address tells. */
  mappings(): readonly PortMapping[] {
    return [...this.#entries.values()].flatMap(({ held }) => held?.mapping ?? []);
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
    return this.#verdicts.reasons;
  }

  /** Maps a port; undefined where no router can, or when `signal` aborts first. What was granted is held until {@link release}. */
  async acquire(wish: MappingWish, signal: AbortSignal): Promise<PortMapping | undefined> {
    if (signal.aborted || this.#stop.signal.aborted) return undefined;
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
    this.#drop(entry);
  }

  /** Asks for every mapping again, now. `anew`: the network changed, so the routers are looked for anew, too. */
  async check({ anew = false }: { readonly anew?: boolean } = {}): Promise<void> {
    if (anew) for (const mapper of this.#parts.mappers()) this.#choice.forget(mapper);
    await Promise.all([...this.#entries.values()].map((entry) => this.#checkOne(entry, anew)));
    this.#schedule();
  }

  /** Takes a mapper's mappings back, before its plugin is disabled. Another mapper takes over at the next check. */
  async removeMapper(mapper: PortMapper): Promise<void> {
    const orphans = [...this.#entries.values()].filter(({ held }) => held?.mapper === mapper);
    for (const entry of orphans) this.#drop(entry);
    this.#verdicts.forget(mapper);
    await Promise.all(this.#unmapping);
  }

  /** Removes every mapping: at exit. */
  async releaseAll(): Promise<void> {
    this.#stop.abort(new Error('the node stops'));
    const making = [...this.#entries.values()].flatMap((entry) => entry.making ?? []);
    for (const entry of this.#entries.values()) this.#drop(entry);
    this.#entries.clear();
    this.#schedule();
    await Promise.all(making);
    await Promise.all(this.#unmapping);
    await this.#records.saved();
  }

  async #load(): Promise<void> {
    for (const { mapper, mapping } of await this.#records.load())
      this.#leftovers.set(mapper, [...(this.#leftovers.get(mapper) ?? []), mapping]);
    await Promise.all([...this.#parts.mappers()].map((mapper) => this.#removeLeftovers(mapper)));
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
    for await (const mapper of this.#choice.best(entry.wish.family, this.#stop.signal)) {
      await this.#removeLeftovers(mapper);
      const held = await this.#map(mapper, entry.wish);
      if (!held) continue;
      if (this.#entries.get(keyOf(entry.wish)) !== entry) return this.#unmap(held);
      entry.held = held;
      return this.#changed(mapper, held.mapping);
    }
  }

  async #map(mapper: PortMapper, wish: Required<MappingWish>): Promise<Held | undefined> {
    const { protocol, internalPort, family } = wish;
    const request = { protocol, internalPort, externalPort: internalPort, lifetimeS: LIFETIME_S };
    const mapping = await this.#verdicts.ask(mapper, MAP_MS, (signal) => mapper.map(request, signal));
    if (!mapping) {
      this.#choice.forget(mapper);
      return undefined;
    }
    this.#records.add(mapper.id, mapping);
    await this.#records.saved(); // before anybody relies on it: a crash may come at any time
    const held = this.#heldNow(mapper, mapping);
    if (this.#isOfUse(mapper, mapping, family)) return held;
    this.#unmap(held);
    return undefined;
  }

  async #checkOne(entry: Entry, anew: boolean): Promise<void> {
    const { held, wish } = entry;
    if (!held) return await this.#make(entry);
    const { mapper, mapping } = held;
    const again = await this.#verdicts.ask(mapper, REFRESH_MS, (signal) =>
      mapper.refresh({ ...mapping, lifetimeS: LIFETIME_S }, signal),
    );
    if (entry.held !== held) return; // given back meanwhile
    if (again && this.#isOfUse(mapper, again, wish.family)) {
      entry.held = this.#heldNow(mapper, again);
      if (again.handle !== mapping.handle || !samePlace(again, mapping)) this.#records.add(mapper.id, again);
      if (!samePlace(again, mapping)) this.#changed(mapper, again);
      return;
    }
    // A router that only starts anew answers at the next check.
    const expired = this.#parts.clock.now() >= held.expiresAtMs;
    if (!again && !anew && !expired && ++held.failures < FAILURES_MAX) return;
    if (!again) this.#choice.forget(mapper);
    this.#drop(entry);
    await this.#make(entry);
  }

  #heldNow(mapper: PortMapper, mapping: PortMapping): Held {
    const expiresAtMs = this.#parts.clock.now() + mapping.lifetimeS * 1000;
    return { mapper, mapping, expiresAtMs, failures: 0 };
  }

  #isOfUse(mapper: PortMapper, mapping: PortMapping, family: Family): boolean {
    const isOfUse = this.#verdicts.isOfUse(mapper, mapping, family);
    if (!isOfUse) this.#choice.bar(mapper, UNREACHABLE_MS);
    return isOfUse;
  }

  #drop(entry: Entry): void {
    const { held } = entry;
    if (!held) return;
    entry.held = undefined;
    this.#unmap(held);
    this.#changed(held.mapper, null);
  }

  #unmap({ mapper, mapping }: Pick<Held, 'mapper' | 'mapping'>): void {
    const work = callMapper(this.#parts.clock, UNMAP_MS, (signal) => mapper.unmap(mapping, signal)).then(
      () => this.#records.remove(mapping),
      (error: unknown) =>
        this.#parts.log.warn(`${mapper.id} could not remove a mapping: ${messageOf(error)}`),
    );
    this.#unmapping.add(work);
    void work.finally(() => this.#unmapping.delete(work));
  }

  /** Waits till it is done: a late removal would take a new mapping of the same port away. */
  async #removeLeftovers(mapper: PortMapper): Promise<void> {
    const mappings = this.#leftovers.get(mapper.id) ?? [];
    this.#leftovers.delete(mapper.id);
    for (const mapping of mappings) this.#unmap({ mapper, mapping });
    await Promise.all(this.#unmapping);
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
    if (this.#stop.signal.aborted || this.#entries.size === 0) return;
    const halves = [...this.#entries.values()].flatMap(({ held }) =>
      held ? held.mapping.lifetimeS * 500 : [],
    );
    const waitMs = Math.max(CHECK_MIN_MS, Math.min(CHECK_MS, ...halves));
    this.#timer = this.#parts.clock.schedule(waitMs, () => void this.check());
  }
}

function keyOf({ protocol, internalPort, family = 4 }: MappingWish): string {
  return `${protocol}/${family}/${internalPort}`;
}

function samePlace(a: PortMapping, b: PortMapping): boolean {
  return a.externalAddress === b.externalAddress && a.externalPort === b.externalPort;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
