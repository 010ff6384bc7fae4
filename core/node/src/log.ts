import { createWriteStream, renameSync, statSync, type WriteStream } from 'node:fs';
import type { LogLine } from '@awl/api';
import type { StateStore } from '@awl/engine';
import pino from 'pino';
import { PRIVATE_FILE_MODE } from './storage/files.ts';

export type LogLevel = LogLine['level'];
const MAX_LOG_BYTES = 5 * 1024 * 1024;
const MAX_TEXT_LENGTH = 2000;

/** The node's log: every line of the state, the engine's and plugins' too, is also a line of JSON in a file. */
export interface NodeLog extends Disposable {
  write(level: LogLevel, source: string, text: string): void;
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

export function openLog(path: string, level: LogLevel, state: StateStore): NodeLog {
  const file = new RotatingFile(path);
  const logger = pino({ level, base: null, timestamp: false }, file);
  const subscription = state.subscribe(({ changes }) => {
    for (const change of changes) {
      if (!('log' in change)) continue;
      for (const { at, level: of, source, text } of change.log) {
        logger[of]({ time: new Date(at).toISOString(), source }, text);
      }
    }
  });
  // The engine counts its lines upward from 1.
  let id = 0;
  return {
    write(of, source, text) {
      if (!logger.isLevelEnabled(of)) return;
      id -= 1;
      state.apply({ log: [{ id, at: Date.now(), level: of, source, text: text.slice(0, MAX_TEXT_LENGTH) }] });
    },
    setLevel(next) {
      logger.level = next;
    },
    [Symbol.dispose]() {
      // Lines that no patch has carried yet.
      state.snapshot();
      subscription[Symbol.dispose]();
      file.end();
    },
  };
}
