import { styleText } from 'node:util';
import { toAwlError, type AwlError } from '@awl/wire';
import { clean } from '../app/text/clean.ts';

/** How sure or bad a word is. */
export type Tone = 'ok' | 'warn' | 'bad' | 'muted' | 'accent';
const STYLES = { ok: 'green', warn: 'yellow', bad: 'red', muted: 'dim', accent: 'cyan' } as const;

/** Something that takes a while. */
export interface Step {
  update(text: string): void;
  done(text: string): void;
  failed(text: string): void;
}

export interface OutputOptions {
  readonly json: boolean;
  readonly color: boolean;
  /** With --stdio standard output carries a connection: nothing else may be written there. */
  readonly stdoutTaken?: boolean;
}

/** What a command says: to people in lines, to scripts in NDJSON. With --json, people's lines go to standard error. */
export class Output {
  readonly json: boolean;
  readonly #color: boolean;
  readonly #people: NodeJS.WriteStream;
  readonly #scripts: NodeJS.WriteStream;

  constructor({ json, color, stdoutTaken = false }: OutputOptions) {
    this.json = json;
    this.#people = json || stdoutTaken ? process.stderr : process.stdout;
    this.#scripts = stdoutTaken ? process.stderr : process.stdout;
    this.#color = color && this.#people.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  }

  /** A line for people. Text from others must have gone through {@link safe}. */
  line(text = ''): void {
    this.#people.write(`${text}\n`);
  }

  /** One event for scripts. */
  event(event: string, data: object, time: number = Date.now()): void {
    if (this.json) this.#scripts.write(`${JSON.stringify({ event, time, ...data })}\n`);
  }

  /** The one object that a command answers scripts with. */
  object(value: unknown): void {
    if (this.json) this.#scripts.write(`${JSON.stringify(value)}\n`);
  }

  paint(tone: Tone, text: string): string {
    return this.#color ? styleText(STYLES[tone], text, { validateStream: false }) : text;
  }

  /** An error, what to do about it, and its code. */
  error(error: unknown): AwlError {
    const failure = toAwlError(error);
    const { code, message, remedy } = failure;
    this.event('error', { code, message, remedy });
    const title = this.#color ? styleText('red', 'awl:', { validateStream: false }) : 'awl:';
    process.stderr.write(`${title} ${safe(message)}\n     ${safe(remedy)} (${code})\n`);
    // A bug: who reports it needs to say where.
    if (code === 'ERR_INTERNAL' && failure.cause instanceof Error)
      process.stderr.write(`${failure.cause.stack}\n`);
    return failure;
  }

  warn(text: string): void {
    process.stderr.write(`${this.paint('warn', 'awl:')} ${text}\n`);
  }

  /** A spinner on a terminal, a line elsewhere. */
  async step(text: string): Promise<Step> {
    if (!process.stderr.isTTY || process.env['TERM'] === 'dumb') {
      if (!this.json) this.line(`${text} …`);
      return {
        update: () => undefined,
        done: (result) => this.line(result),
        failed: (result) => this.line(result),
      };
    }
    const { default: ora } = await import('ora');
    const spinner = ora({
      text,
      stream: process.stderr,
      color: this.#color ? 'cyan' : false,
      discardStdin: false,
    }).start();
    return {
      update: (next) => (spinner.text = next),
      done: (result) => void spinner.succeed(result),
      failed: (result) => void spinner.fail(result),
    };
  }
}

/** Text from peers, plugins and the network, made harmless to a terminal. */
export function safe(text: string): string {
  return text.split('\n').map(clean).join('\n');
}
