import type { JsonValue } from '@awl/api';
import { AwlError } from '@awl/wire';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { describeErrors } from './manifest/errors.ts';
import type { StoragePort } from './ports.ts';

const Installed = Type.Object({
  /** The package's name. */
  name: Type.String({ maxLength: 100 }),
  version: Type.String({ maxLength: 60 }),
  /** The package's own directory. */
  directory: Type.String({ maxLength: 4096 }),
  /** What it was installed from, as the user named it. */
  from: Type.String({ maxLength: 4096 }),
  /** Subresource integrity of the package, where it came as a tarball. */
  integrity: Type.Optional(Type.String({ maxLength: 200 })),
});

const RecordSchema = Type.Object({
  version: Type.Literal(1),
  /** What the user decided, by plugin id. */
  enabled: Type.Record(Type.String(), Type.Boolean()),
  installed: Type.Record(Type.String(), Installed),
  /** Why, by plugin id. */
  quarantined: Type.Record(Type.String(), Type.String()),
});
const validator = Compile(RecordSchema);

export type InstalledPlugin = Static<typeof Installed>;
type Data = Static<typeof RecordSchema>;

const NAME = 'plugins';

/** What must survive a restart: which plugins are installed, enabled, quarantined. */
export class PluginRecord {
  readonly #port: StoragePort;
  #data: Data = { version: 1, enabled: {}, installed: {}, quarantined: {} };
  #saving: Promise<void> = Promise.resolve();

  constructor(port: StoragePort) {
    this.#port = port;
  }

  get data(): Readonly<Data> {
    return this.#data;
  }

  /** Throws `ERR_STORAGE` where the document is damaged. */
  async load(): Promise<void> {
    const value = await this.#port.load(NAME);
    if (value === undefined) return;
    if (!validator.Check(value)) {
      throw new AwlError(
        'ERR_STORAGE',
        `the list of plugins is damaged: ${describeErrors(validator.Errors(value), RecordSchema)}`,
      );
    }
    this.#data = value;
  }

  setEnabled(id: string, enabled: boolean): Promise<void> {
    this.#data = { ...this.#data, enabled: { ...this.#data.enabled, [id]: enabled } };
    return this.setQuarantined(id, undefined);
  }

  setQuarantined(id: string, reason: string | undefined): Promise<void> {
    const { [id]: _previous, ...others } = this.#data.quarantined;
    this.#data = { ...this.#data, quarantined: reason === undefined ? others : { ...others, [id]: reason } };
    return this.#save();
  }

  setInstalled(id: string, installed: InstalledPlugin): Promise<void> {
    this.#data = { ...this.#data, installed: { ...this.#data.installed, [id]: installed } };
    return this.#save();
  }

  remove(id: string): Promise<void> {
    const without = <T>({ [id]: _removed, ...others }: { [key: string]: T }): { [key: string]: T } => others;
    this.#data = {
      version: 1,
      enabled: without(this.#data.enabled),
      installed: without(this.#data.installed),
      quarantined: without(this.#data.quarantined),
    };
    return this.#save();
  }

  #save(): Promise<void> {
    this.#saving = this.#saving
      .catch(() => undefined)
      .then(() => this.#port.save(NAME, this.#data as unknown as JsonValue));
    return this.#saving;
  }
}
