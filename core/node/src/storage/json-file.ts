import { AwlError } from '@awl/wire';
import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { readText, writePrivate, type Files } from './files.ts';
import { describeErrors } from './describe-errors.ts';

/** A small JSON file with a schema. Writes follow one another, and of several that wait only the last is made. */
export class JsonFile<Schema extends TSchema> {
  readonly path: string;
  readonly #files: Files;
  readonly #validator: Validator<{}, Schema>;
  #writing: Promise<void> | undefined;
  #waiting: string | undefined;

  constructor(path: string, schema: Schema, files: Files) {
    this.path = path;
    this.#files = files;
    this.#validator = Compile(schema);
  }

  /** The content; undefined where there is no file. Rejects with `ERR_STORAGE` where it is damaged. */
  async read(): Promise<Static<Schema> | undefined> {
    const text = await readText(this.path);
    if (text === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new AwlError('ERR_STORAGE', `${this.path} is damaged: it is not JSON.`, { cause });
    }
    if (!this.#validator.Check(value)) {
      throw new AwlError(
        'ERR_STORAGE',
        `${this.path} is damaged: ${describeErrors(this.#validator.Errors(value))}.`,
      );
    }
    return value;
  }

  /** Resolves when this content, or a later one, is on the disk. */
  write(value: Static<Schema>): Promise<void> {
    this.#waiting = `${JSON.stringify(value, null, 2)}\n`;
    this.#writing ??= this.#drain();
    return this.#writing;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting !== undefined) {
        const content = this.#waiting;
        this.#waiting = undefined;
        await writePrivate(this.#files, this.path, content);
      }
    } finally {
      this.#writing = undefined;
    }
  }
}
