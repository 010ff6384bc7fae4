import type { Clock, JsonValue, Logger, LogLine } from '@awl/api';
import { printable } from './text.ts';

const LINE_LENGTH = 2000;
const LINES_PER_SECOND = 50;
const LINES_KEPT = 100;

/** A plugin's log: bounded in length and rate, without control characters; the last lines are kept for `awl plugin explain`. */
export class PluginLog implements Logger {
  readonly #clock: Clock;
  readonly #sink: (level: LogLine['level'], text: string) => void;
  readonly #lines: string[] = [];
  #windowStartMs = -Infinity;
  #inWindow = 0;

  constructor(clock: Clock, sink: (level: LogLine['level'], text: string) => void) {
    this.#clock = clock;
    this.#sink = sink;
  }

  /** The newest lines, oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  debug(message: string, data?: JsonValue): void {
    this.#write('debug', message, data);
  }
  info(message: string, data?: JsonValue): void {
    this.#write('info', message, data);
  }
  warn(message: string, data?: JsonValue): void {
    this.#write('warn', message, data);
  }
  error(message: string, data?: JsonValue): void {
    this.#write('error', message, data);
  }

  #write(level: LogLine['level'], message: string, data: JsonValue | undefined): void {
    const now = this.#clock.now();
    if (now - this.#windowStartMs >= 1000) {
      const dropped = this.#inWindow - LINES_PER_SECOND;
      this.#windowStartMs = now;
      this.#inWindow = 0;
      if (dropped > 0)
        this.#keep('warn', `${dropped} lines dropped: more than ${LINES_PER_SECOND} in a second`);
    }
    this.#inWindow += 1;
    if (this.#inWindow > LINES_PER_SECOND) return;
    this.#keep(level, data === undefined ? message : `${message} ${JSON.stringify(data)}`);
  }

  #keep(level: LogLine['level'], text: string): void {
    const line = printable(text, LINE_LENGTH);
    this.#lines.push(`${level} ${line}`);
    if (this.#lines.length > LINES_KEPT) this.#lines.shift();
    this.#sink(level, line);
  }
}
