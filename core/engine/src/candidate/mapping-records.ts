import type { JsonValue, Logger, PortMapping } from '@awl/api';

/** A mapping as it stands in the store, so that one left by a crash can be removed. */
interface MappingRecord {
  /** The mapper's id. */
  readonly mapper: string;
  readonly mapping: PortMapping;
  /** Milliseconds since the Unix epoch. */
  readonly madeAt: number;
}

/** Where mappings are remembered across a crash. */
export interface MappingStorage {
  load(): Promise<JsonValue | undefined>;
  save(value: JsonValue): Promise<void>;
}

/** More are not kept; no node holds as many. */
export const RECORDS_MAX = 64;
/** A record that could not be removed is forgotten: its lease has ended, or the router will not be seen again. */
const MAX_AGE_MS = 7 * 24 * 3_600_000;
const HANDLE_MAX = 4096;

/** What was mapped and not yet removed, as the store has it. */
export class MappingRecords {
  readonly #storage: MappingStorage;
  readonly #wallClock: () => number;
  readonly #log: Logger;
  #records: MappingRecord[] = [];
  #saving: Promise<void> = Promise.resolve();

  constructor(storage: MappingStorage, wallClock: () => number, log: Logger) {
    this.#storage = storage;
    this.#wallClock = wallClock;
    this.#log = log;
  }

  /** Reads what the last run left behind. */
  async load(): Promise<readonly MappingRecord[]> {
    const document = await this.#storage.load().catch(() => undefined);
    const oldest = this.#wallClock() - MAX_AGE_MS;
    this.#records = parseRecords(document).filter(({ madeAt }) => madeAt > oldest);
    return this.#records;
  }

  /** Adds a mapping, in the place of another of the same mapper and internal port. */
  add(mapper: string, mapping: PortMapping): void {
    const record: MappingRecord = { mapper, mapping, madeAt: this.#wallClock() };
    const others = this.#records.filter((each) => !sameInside(each, record));
    this.#records = [...others, record].slice(-RECORDS_MAX);
    this.#save();
  }

  /** Takes out a mapping that is no longer at the router. */
  remove({ handle, protocol, internalPort }: PortMapping): void {
    this.#records = this.#records.filter(
      ({ mapping }) =>
        mapping.handle !== handle || mapping.protocol !== protocol || mapping.internalPort !== internalPort,
    );
    this.#save();
  }

  /** Resolves when all is written. */
  saved(): Promise<void> {
    return this.#saving;
  }

  #save(): void {
    const document = JSON.parse(JSON.stringify(this.#records)) as JsonValue;
    this.#saving = this.#saving
      .then(() => this.#storage.save(document))
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.#log.warn(`mappings cannot be remembered for the next start: ${reason}`);
      });
  }
}

function sameInside(a: MappingRecord, b: MappingRecord): boolean {
  return (
    a.mapper === b.mapper &&
    a.mapping.protocol === b.mapping.protocol &&
    a.mapping.internalPort === b.mapping.internalPort
  );
}

/** The records of a stored document; what is damaged in it is left out. */
function parseRecords(document: JsonValue | undefined): MappingRecord[] {
  if (!Array.isArray(document)) return [];
  return document.slice(0, RECORDS_MAX).flatMap((value: JsonValue) => {
    if (!isObject(value)) return [];
    const { mapper, mapping, madeAt } = value;
    if (typeof mapper !== 'string' || typeof madeAt !== 'number' || !isMapping(mapping)) return [];
    return [{ mapper, mapping, madeAt }];
  });
}

/** Whether this has the form of a mapping, with ports and a lifetime that can be: a plugin or a file says so. */
export function isMapping(value: unknown): value is PortMapping {
  if (!isObject(value)) return false;
  const { protocol, internalPort, externalPort, externalAddress, lifetimeS, handle } = value;
  return (
    (protocol === 'udp' || protocol === 'tcp') &&
    isPort(internalPort) &&
    isPort(externalPort) &&
    typeof externalAddress === 'string' &&
    externalAddress.length <= 45 &&
    typeof lifetimeS === 'number' &&
    lifetimeS >= 0 &&
    typeof handle === 'string' &&
    handle.length <= HANDLE_MAX
  );
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;
}
