import type { JsonValue, PluginState } from '@awl/api';

/** One setting as a form asks for it. */
export interface SettingField {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'number' | 'integer' | 'choice';
  readonly initial: string;
  readonly hint: string;
  /** For `choice`: what can be chosen. */
  readonly options: readonly string[];
  /** What is wrong with a text, or nothing. */
  readonly check: (text: string) => string | undefined;
  /** The value that a checked text stands for. */
  readonly parse: (text: string) => JsonValue;
}

type Dict = { readonly [key: string]: JsonValue };

function dict(value: JsonValue | undefined): Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Dict) : {};
}

function text(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const number = (value: JsonValue | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined;

function numberField(
  schema: Dict,
  isInteger: boolean,
): Pick<SettingField, 'check' | 'parse' | 'kind' | 'options'> {
  const [least, most] = [number(schema['minimum']), number(schema['maximum'])];
  return {
    kind: isInteger ? 'integer' : 'number',
    options: [],
    parse: Number,
    check: (entered) => {
      const value = Number(entered);
      if (entered.trim() === '' || !Number.isFinite(value)) return 'a number, please';
      if (isInteger && !Number.isInteger(value)) return 'a whole number, please';
      if (least !== undefined && value < least) return `at least ${least}`;
      if (most !== undefined && value > most) return `at most ${most}`;
      return undefined;
    },
  };
}

function textField(schema: Dict): Pick<SettingField, 'check' | 'parse' | 'kind' | 'options'> {
  const [least, most] = [number(schema['minLength']), number(schema['maxLength'])];
  return {
    kind: 'text',
    options: [],
    parse: (entered) => entered,
    check: (entered) => {
      if (least !== undefined && entered.length < least) return `at least ${least} characters`;
      if (most !== undefined && entered.length > most) return `at most ${most} characters`;
      return undefined;
    },
  };
}

function choice(
  values: readonly JsonValue[],
  words: readonly string[] = values.map(text),
): Pick<SettingField, 'check' | 'parse' | 'kind' | 'options'> {
  return {
    kind: 'choice',
    options: words,
    parse: (entered) => values[words.indexOf(entered)] ?? entered,
    check: (entered) => (words.includes(entered) ? undefined : `one of ${words.join(', ')}`),
  };
}

/** The settings of a plugin that a person can edit: numbers, texts, yes or no, one of several. Others stay in the configuration file. */
export function settingFields(settings: PluginState['settings']): readonly SettingField[] {
  const properties = dict(dict(settings.schema)['properties']);
  return Object.entries(properties).flatMap(([name, raw]): SettingField[] => {
    const schema = dict(raw);
    const type = schema['type'];
    const options = schema['enum'];
    const value = settings.values[name] ?? schema['default'];
    const label = name.split('.').at(-1) ?? name;
    const base = { name, label, hint: text(schema['description']), initial: text(value) };
    if (Array.isArray(options)) return [{ ...base, ...choice(options as readonly JsonValue[]) }];
    if (type === 'boolean')
      return [{ ...base, initial: value === true ? 'yes' : 'no', ...choice([true, false], ['yes', 'no']) }];
    if (type === 'integer' || type === 'number')
      return [{ ...base, ...numberField(schema, type === 'integer') }];
    return type === 'string' ? [{ ...base, ...textField(schema) }] : [];
  });
}
