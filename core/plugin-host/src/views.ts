import type { Change, Clock, PluginManifest, ViewData } from '@awl/api';
import { AwlError } from '@awl/wire';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { describeErrors } from './manifest/errors.ts';
import { oneLine } from './text.ts';

/** At most four times a second. */
const INTERVAL_MS = 250;
const CELL_LENGTH = 200;
const STATUS_LENGTH = 60;

const Text = Type.String({ maxLength: 4000 });
const strict = { additionalProperties: false };
const ViewSchema = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('table'),
      columns: Type.Array(Text, { maxItems: 16 }),
      rows: Type.Array(Type.Array(Text, { maxItems: 16 }), { maxItems: 200 }),
    },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('keyvalue'),
      entries: Type.Array(Type.Object({ key: Text, value: Text }, strict), { maxItems: 100 }),
    },
    strict,
  ),
  Type.Object({ kind: Type.Literal('log'), lines: Type.Array(Text, { maxItems: 200 }) }, strict),
  Type.Object(
    {
      kind: Type.Literal('sparkline'),
      values: Type.Array(Type.Number(), { maxItems: 600 }),
      unit: Type.Optional(Text),
    },
    strict,
  ),
  Type.Object({ kind: Type.Literal('text'), text: Type.String({ maxLength: 16_000 }) }, strict),
]);
const validator = Compile(ViewSchema);

function clean(data: ViewData): ViewData {
  const cell = (text: string): string => oneLine(text, CELL_LENGTH);
  switch (data.kind) {
    case 'table':
      return { ...data, columns: data.columns.map(cell), rows: data.rows.map((row) => row.map(cell)) };
    case 'keyvalue':
      return {
        ...data,
        entries: data.entries.map(({ key, value }) => ({ key: cell(key), value: cell(value) })),
      };
    case 'log':
      return { ...data, lines: data.lines.map(cell) };
    case 'sparkline':
      return data.unit === undefined ? data : { ...data, unit: cell(data.unit) };
    default:
      return { ...data, text: data.text.split('\n').map(cell).join('\n') };
  }
}

/** What a plugin shows: its rows in the state's `views`, `statusItems` and `commands`, there while it is enabled. */
export class PluginViews implements Disposable {
  readonly #plugin: string;
  readonly #contributes: PluginManifest['contributes'];
  readonly #clock: Clock;
  readonly #apply: (change: Change) => void;
  readonly #waiting = new Map<string, Change>();
  readonly #timers = new Map<string, Disposable>();

  constructor(
    plugin: string,
    contributes: PluginManifest['contributes'],
    clock: Clock,
    apply: (change: Change) => void,
  ) {
    this.#plugin = plugin;
    this.#contributes = contributes;
    this.#clock = clock;
    this.#apply = apply;
    this.reset();
    for (const { id, title } of contributes.commands ?? []) {
      apply({ collection: 'commands', id, value: { id, plugin, title: oneLine(title, 80) } });
    }
  }

  /** Views without data, no status items: the plugin is not active. */
  reset(): void {
    this.#stopTimers();
    for (const { id, title } of this.#contributes.views ?? []) {
      this.#apply({
        collection: 'views',
        id,
        value: { id, plugin: this.#plugin, title: oneLine(title, 80) },
      });
    }
    for (const { id } of this.#contributes.statusItems ?? [])
      this.#apply({ collection: 'statusItems', id, value: null });
  }

  setView(id: string, data: ViewData): void {
    const view = this.#contributes.views?.find((other) => other.id === id);
    if (!view)
      throw new AwlError('ERR_PLUGIN_NOT_CONTRIBUTED', `${id} is not in contributes.views of the manifest`);
    if (!validator.Check(data))
      throw new TypeError(`view ${id}: ${describeErrors(validator.Errors(data), ViewSchema)}`);
    if (data.kind !== view.kind)
      throw new TypeError(`view ${id} is a ${view.kind} in the manifest, not a ${data.kind}`);
    this.#send({
      collection: 'views',
      id,
      value: { id, plugin: this.#plugin, title: oneLine(view.title, 80), data: clean(data) },
    });
  }

  setStatusItem(id: string, text: string): void {
    if (!this.#contributes.statusItems?.some((other) => other.id === id)) {
      throw new AwlError(
        'ERR_PLUGIN_NOT_CONTRIBUTED',
        `${id} is not in contributes.statusItems of the manifest`,
      );
    }
    this.#send({
      collection: 'statusItems',
      id,
      value: { id, plugin: this.#plugin, text: oneLine(text, STATUS_LENGTH) },
    });
  }

  [Symbol.dispose](): void {
    this.#stopTimers();
    for (const { id } of this.#contributes.views ?? []) this.#apply({ collection: 'views', id, value: null });
    for (const { id } of this.#contributes.statusItems ?? [])
      this.#apply({ collection: 'statusItems', id, value: null });
    for (const { id } of this.#contributes.commands ?? [])
      this.#apply({ collection: 'commands', id, value: null });
  }

  /** The first at once, then the newest every quarter of a second. */
  #send(change: Extract<Change, { collection: string }>): void {
    const key = `${change.collection}/${change.id}`;
    if (this.#timers.has(key)) {
      this.#waiting.set(key, change);
      return;
    }
    this.#apply(change);
    this.#timers.set(
      key,
      this.#clock.schedule(INTERVAL_MS, () => {
        this.#timers.delete(key);
        const next = this.#waiting.get(key) as typeof change | undefined;
        this.#waiting.delete(key);
        if (next) this.#send(next);
      }),
    );
  }

  #stopTimers(): void {
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
    this.#waiting.clear();
  }
}
