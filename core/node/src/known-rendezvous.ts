import type { RendezvousUrl } from '@awl/wire';
import { Type, type Static } from 'typebox';
import type { Files } from './storage/files.ts';
import { JsonFile } from './storage/json-file.ts';

/** By `host:port`. */
const KnownSchema = Type.Record(Type.String(), Type.String({ maxLength: 128 }));
/** More than anybody uses; the oldest goes. */
const MAX_KNOWN = 256;

/** The keys of rendezvous that were met without a fingerprint in the URL: the first one seen is the one expected from then on, as ssh does. */
export class KnownRendezvous {
  readonly #file: JsonFile<typeof KnownSchema>;

  constructor(path: string, files: Files) {
    this.#file = new JsonFile(path, KnownSchema, files);
  }

  /** What a place is known by. */
  placeOf({ host, port }: RendezvousUrl): string {
    return `${host}:${port}`;
  }

  /** Fingerprints by place. */
  all(): Promise<ReadonlyMap<string, string>> {
    return this.#read();
  }

  async fingerprintOf(url: RendezvousUrl): Promise<string | undefined> {
    return (await this.#read()).get(this.placeOf(url));
  }

  async remember(url: RendezvousUrl, fingerprint: string): Promise<void> {
    const known = await this.#read();
    known.delete(this.placeOf(url));
    known.set(this.placeOf(url), fingerprint);
    await this.#write(known);
  }

  /** Resolves with whether one was known. */
  async forget(url: RendezvousUrl): Promise<boolean> {
    const known = await this.#read();
    const wasKnown = known.delete(this.placeOf(url));
    if (wasKnown) await this.#write(known);
    return wasKnown;
  }

  async #read(): Promise<Map<string, string>> {
    return new Map(Object.entries((await this.#file.read()) ?? {}));
  }

  #write(known: Map<string, string>): Promise<void> {
    const content: Static<typeof KnownSchema> = Object.fromEntries([...known].slice(-MAX_KNOWN));
    return this.#file.write(content);
  }
}
