import { AwlError } from '@awl/wire';
import type { OptionValues } from './spec.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A text option; undefined where it was not given. */
export function textOf(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(
  options: OptionValues,
  name: string,
  minimum: number,
  maximum: number,
): number | undefined {
  const text = textOf(options, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
  throw new AwlError('ERR_USAGE', `--${kebab(name)} is ${text}, and should be ${minimum} to ${maximum}.`);
}

/** `90s`, `30m`, `12h`, `7d` in seconds. */
export function durationOf(options: OptionValues, name: string): number | undefined {
  const text = textOf(options, name);
  if (text === undefined) return undefined;
  const [, count, unit = 's'] = /^(\d{1,8})([smhd])?$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS[unit] ?? Number.NaN);
  if (seconds >= 1 && seconds <= 31_536_000) return seconds;
  throw new AwlError(
    'ERR_USAGE',
    `--${kebab(name)} is ${text}, and should be a time such as 30m, 12h or 7d.`,
  );
}

/** `--transport`; commander has checked the choice. */
export function transportOf(options: OptionValues): 'any' | 'udp' | 'tcp' | undefined {
  return textOf(options, 'transport') as 'any' | 'udp' | 'tcp' | undefined;
}

/** `--protocol`; commander has checked the choice. */
export function protocolOf(options: OptionValues): 'tcp' | 'udp' | undefined {
  return textOf(options, 'protocol') as 'tcp' | 'udp' | undefined;
}

/** Names with commas between them. */
export function listOf(options: OptionValues, name: string): readonly string[] | undefined {
  return textOf(options, name)
    ?.split(',')
    .map((part) => part.trim())
    .filter(Boolean);
}

/** Without the keys whose value is undefined. */
export function given<T extends object>(value: { readonly [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as T;
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
