import { EventEmitter } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { FAKE_NOW, type FakeClient } from '@awl/testkit';
import { render } from 'ink';
import type { ReactNode } from 'react';
import { App } from '../../src/app/app.tsx';
import { Commander } from '../../src/app/store/commander.ts';
import { EngineStore } from '../../src/app/store/store.ts';
import type { Overlay } from '../../src/app/store/ui-state.ts';
import { themeFor } from '../../src/app/theme.ts';

/** Longest wait for something to appear before a test fails, milliseconds. */
const PATIENCE_MS = 10_000;

/** A terminal of any size that remembers what was written. */
class FakeStdout extends EventEmitter {
  columns: number;
  rows: number;
  readonly isTTY = true;
  last = '';
  readonly #changed = new EventEmitter();

  constructor(columns: number, rows: number) {
    super();
    this.columns = columns;
    this.rows = rows;
  }

  readonly write = (frame: string, done?: () => void): boolean => {
    // Terminal modes are set between frames.
    if (stripVTControlCharacters(frame) !== '') {
      this.last = frame;
      this.#changed.emit('write');
    }
    done?.();
    return true;
  };

  /** The last frame as lines without colours, or with its escape sequences. */
  text(): string {
    return stripVTControlCharacters(this.last).trimEnd();
  }

  async until(isThere: (text: string) => boolean, what: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const check = (): void => {
      if (isThere(this.text())) resolve(this.text());
    };
    const timer = setTimeout(() => reject(new Error(`never appeared: ${what}\n${this.text()}`)), PATIENCE_MS);
    this.#changed.on('write', check);
    check();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#changed.off('write', check);
    }
  }
}

/** A keyboard. */
class FakeStdin extends EventEmitter {
  readonly isTTY = true;
  #data: string | null = null;
  readonly setEncoding = (): void => {};
  readonly setRawMode = (): void => {};
  readonly resume = (): void => {};
  readonly pause = (): void => {};
  readonly ref = (): void => {};
  readonly unref = (): void => {};
  readonly read = (): string | null => {
    const data = this.#data;
    this.#data = null;
    return data;
  };

  readonly unshift = (data: string): void => this.type(data);

  type(data: string): void {
    this.#data = data;
    this.emit('readable');
    this.emit('data', data);
  }
}

/** Keys by name, as a terminal sends them. */
export const KEYS = {
  enter: '\r',
  esc: '\u001B',
  tab: '\t',
  up: '\u001B[A',
  down: '\u001B[B',
  right: '\u001B[C',
  left: '\u001B[D',
  backspace: '\u007F',
  pageDown: '\u001B[6~',
  space: ' ',
} as const;

/** The app or a component in a terminal of this test. */
export interface Stage extends Disposable {
  /** What is on the screen now. */
  text(): string;
  /** The same with escape sequences. */
  raw(): string;
  /** Waits until the screen contains a text, or no longer does with `until`. */
  sees(text: string | RegExp): Promise<string>;
  until(isThere: (text: string) => boolean): Promise<string>;
  press(...keys: readonly (keyof typeof KEYS | (string & {}))[]): Promise<void>;
  resize(columns: number, rows: number): void;
  readonly hasQuit: boolean;
}

/** How a stage is set. */
export interface StageOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly overlay?: Overlay;
  readonly hasColour?: boolean;
  readonly isSpoken?: boolean;
  readonly now?: () => number;
}

/** Runs the app on a fake client in a terminal of the given size. */
export function stage(client: FakeClient, options: StageOptions = {}): Stage {
  const store = new EngineStore(client, { now: options.now ?? (() => FAKE_NOW), intervalMs: 0 });
  const state = { hasQuit: false };
  const services = {
    store,
    commander: new Commander(client),
    theme: themeFor(options.hasColour ?? true),
    quit: () => void (state.hasQuit = true),
  };
  const shown = show(
    <App services={services} {...(options.overlay ? { firstOverlay: options.overlay } : {})} />,
    options,
  );
  return {
    ...shown,
    get hasQuit() {
      return state.hasQuit;
    },
    [Symbol.dispose]() {
      shown[Symbol.dispose]();
      store[Symbol.dispose]();
    },
  };
}

/** Draws one element in a terminal of the given size. */
export function show(node: ReactNode, options: StageOptions = {}): Omit<Stage, 'hasQuit'> {
  const stdout = new FakeStdout(options.columns ?? 100, options.rows ?? 30);
  const stdin = new FakeStdin();
  const app = render(node, {
    stdout: stdout as unknown as NodeJS.WriteStream,
    stdin: stdin as unknown as NodeJS.ReadStream,
    stderr: new FakeStdout(100, 30) as unknown as NodeJS.WriteStream,
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
    isScreenReaderEnabled: options.isSpoken ?? false,
  });
  return {
    text: () => stdout.text(),
    raw: () => stdout.last,
    sees: (text) =>
      stdout.until(
        (screen) => (typeof text === 'string' ? screen.includes(text) : text.test(screen)),
        String(text),
      ),
    until: (isThere) => stdout.until(isThere, 'what the test waits for'),
    async press(...keys) {
      for (const key of keys) {
        stdin.type(Object.hasOwn(KEYS, key) ? KEYS[key as keyof typeof KEYS] : key);
        // A lone escape is told from the start of a sequence by what follows it.
        await new Promise((resolve) => setTimeout(resolve, key === 'esc' ? 60 : 0));
        // What a key does may pass through several effects, and the next key is for what they lead to.
        for (let turn = 0; turn < 4; turn += 1) await app.waitUntilRenderFlush();
      }
    },
    resize(columns, rows) {
      stdout.columns = columns;
      stdout.rows = rows;
      stdout.emit('resize');
    },
    [Symbol.dispose]: () => {
      app.unmount();
      app.cleanup();
    },
  };
}
