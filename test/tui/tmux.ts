import { execFileSync, spawnSync } from 'node:child_process';

/** Longest wait for something to appear, milliseconds. */
const PATIENCE_MS = 30_000;
const POLL_MS = 50;

/** Why tests in a real terminal cannot run here; false where they can. */
export const NO_TMUX: string | false =
  spawnSync('tmux', ['-V']).status === 0 ? false : 'tmux is not installed';

/** What runs in a terminal of its own. */
export interface TerminalOptions {
  /** A line for /bin/sh. */
  readonly command: string;
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: { readonly [name: string]: string };
}

let count = 0;

/** A real terminal with one program in it, driven by tmux. */
export class Terminal implements Disposable {
  readonly #socket = `awl-test-${process.pid}-${(count += 1)}`;

  constructor(options: TerminalOptions) {
    const { command, columns = 100, rows = 30, env = {} } = options;
    const variables = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    this.#tmux(
      'new-session',
      '-d',
      '-x',
      String(columns),
      '-y',
      String(rows),
      ...variables,
      '/bin/sh',
      '-c',
      `${command}; echo "ended with $?"; exec sleep 600`,
    );
    this.#tmux('set-option', '-g', 'remain-on-exit', 'on');
  }

  /** The screen as text; with `hasColour`, with its escape sequences. */
  screen(hasColour = false): string {
    return this.#tmux('capture-pane', '-p', ...(hasColour ? ['-e'] : []));
  }

  /** Types keys: names as tmux knows them (`Enter`, `C-c`), anything else as it is. */
  press(...keys: readonly string[]): void {
    for (const key of keys) this.#tmux('send-keys', key);
  }

  /** Waits until the screen fits. */
  async until(fits: (screen: string) => boolean, what: string): Promise<string> {
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += POLL_MS) {
      const screen = this.screen();
      if (fits(screen)) return screen;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Error(`never appeared: ${what}\n${this.screen()}`);
  }

  /** Waits until the screen has a text. */
  sees(text: string | RegExp): Promise<string> {
    return this.until(
      (screen) => (typeof text === 'string' ? screen.includes(text) : text.test(screen)),
      String(text),
    );
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Whether the alternate screen is on and the cursor shows. */
  modes(): { readonly isAlternate: boolean; readonly hasCursor: boolean } {
    const [alternate, cursor] = this.#tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}')
      .trim()
      .split(' ');
    return { isAlternate: alternate === '1', hasCursor: cursor === '1' };
  }

  /** Process ids of the program in the terminal, the shell first. */
  pids(): readonly number[] {
    const shell = Number(this.#tmux('display-message', '-p', '#{pane_pid}'));
    const children = spawnSync('ps', ['-o', 'pid=', '--ppid', String(shell)], { encoding: 'utf8' }).stdout;
    return [
      shell,
      ...children
        .trim()
        .split(/\s+/)
        .filter((pid) => pid !== '')
        .map(Number),
    ];
  }

  [Symbol.dispose](): void {
    spawnSync('tmux', ['-L', this.#socket, 'kill-server']);
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, '-f', '/dev/null', ...args], { encoding: 'utf8' });
  }
}

/** The app on a made-up engine, from source. */
export function fakeApp(options = ''): string {
  return `'${process.execPath}' --conditions=source --import ./scripts/tsx.ts tui/test/app/dev.ts ${options}`;
}
