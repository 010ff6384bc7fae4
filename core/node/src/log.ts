import { createWriteStream, renameSync, statSync, type WriteStream } from 'node:fs';
import type { LogLine } from '@awl/api';
import pino, { type Logger as Pino } from 'pino';
import { PRIVATE_FILE_MODE } from './storage/files.ts';

export type LogLevel = LogLine['level'];
const MAX_LOG_BYTES = 5 * 1024 * 1024;
const MAX_TEXT_LENGTH = 2000;

/** The node's log: structured lines in a file, short ones in the state for UIs. */
export interface NodeLog extends Disposable {
  write(level: LogLevel, source: string, text: string, data?: object): void;
  setLevel(level: LogLevel): void;
}

/** A plain destination for pino that keeps the file and one older one, 5 MiB each. */
class RotatingFile {
  readonly #path: string;
  #stream: WriteStream;
  #sizeBytes: number;

  constructor(path: string) {
    this.#path = path;
    this.#sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    this.#stream = this.#open();
  }

  write(line: string): void {
    if (this.#sizeBytes > MAX_LOG_BYTES) this.#rotate();
    this.#sizeBytes += line.length;
    this.#stream.write(line);
  }

  end(): void {
    this.#stream.end();
  }

  #rotate(): void {
    this.#stream.end();
    try {
      renameSync(this.#path, `${this.#path}.1`);
    } catch {
      // The old file stays and is written on: a log that cannot be rotated is no reason to stop.
    }
    this.#sizeBytes = 0;
    this.#stream = this.#open();
  }

  #open(): WriteStream {
    // A full disk must not end the node; the lines are in the state still.
    return createWriteStream(this.#path, { flags: 'a', mode: PRIVATE_FILE_MODE }).on(
      'error',
      () => undefined,
    );
  }
}

/** @param show receives each line for the state */
export function openLog(path: string, level: LogLevel, show: (line: LogLine) => void): NodeLog {
  const file = new RotatingFile(path);
  const logger: Pino = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, file);
  let id = 0;
  return {
    write(lineLevel, source, text, data) {
      const cut = text.slice(0, MAX_TEXT_LENGTH);
      logger[lineLevel]({ ...data, source }, cut);
      if (logger.isLevelEnabled(lineLevel)) {
        id += 1;
        show({ id, at: Date.now(), level: lineLevel, source, text: cut });
      }
    },
    setLevel(next) {
      logger.level = next;
    },
    [Symbol.dispose]: () => file.end(),
  };
}
