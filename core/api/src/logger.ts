import type { JsonValue } from './json.ts';

/** A plugin's log; lines carry the plugin's name, and are limited in length and rate. */
export interface Logger {
  debug(message: string, data?: JsonValue): void;
  info(message: string, data?: JsonValue): void;
  warn(message: string, data?: JsonValue): void;
  error(message: string, data?: JsonValue): void;
}
