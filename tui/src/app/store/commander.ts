import type { CommandName, Commands, EngineClient } from '@awl/api';
import { clean } from '../text/clean.ts';

/** One line about what the UI was last told to do. */
export interface Notice {
  readonly kind: 'busy' | 'ok' | 'bad';
  readonly text: string;
}

/** A command on its way, and how to say what became of it. */
export interface CommandRequest<Name extends CommandName> {
  readonly name: Name;
  readonly params: Commands[Name]['params'];
  /** "Connecting to office". */
  readonly doing: string;
  /** "office is connecting"; default: nothing is said. */
  readonly done?: string | ((result: Commands[Name]['result']) => string);
}

/** A failure of a command in one line: what happened, and what to do about it. */
export function failureWords(error: unknown): string {
  const { message, remedy } = (
    typeof error === 'object' && error !== null ? error : { message: String(error) }
  ) as { message?: unknown; remedy?: unknown };
  const parts = [message, remedy].filter((part): part is string => typeof part === 'string' && part !== '');
  return clean(parts.map((part) => (/[.!?]$/.test(part) ? part : `${part}.`)).join(' '));
}

/** Gives commands to the engine one at a time, says how they stand, and cancels them. */
export class Commander {
  readonly #client: EngineClient;
  readonly #listeners = new Set<() => void>();
  #notice: Notice | undefined;
  #running: AbortController | undefined;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  /** For `useSyncExternalStore`. */
  readonly notice = (): Notice | undefined => this.#notice;

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** True while a command is on its way. */
  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  /** Shows a line, or takes it away. */
  say(notice: Notice | undefined): void {
    this.#notice = notice;
    for (const listener of this.#listeners) listener();
  }

  /** Gives up the command on its way. */
  cancel(): void {
    this.#running?.abort(new Error('cancelled'));
  }

  /** Runs a command; a failure becomes a notice, and undefined comes back. A command still on its way is given up. */
  async run<Name extends CommandName>(
    request: CommandRequest<Name>,
  ): Promise<Commands[Name]['result'] | undefined> {
    this.cancel();
    const controller = new AbortController();
    this.#running = controller;
    this.say({ kind: 'busy', text: request.doing });
    const isNewest = (): boolean => this.#running === controller;
    try {
      const result = await abortable(
        this.#client.command(request.name, request.params, controller.signal),
        controller.signal,
      );
      const text = typeof request.done === 'function' ? request.done(result) : request.done;
      if (isNewest()) this.say(text === undefined ? undefined : { kind: 'ok', text });
      return result;
    } catch (error) {
      if (isNewest())
        this.say(
          controller.signal.aborted
            ? { kind: 'ok', text: `${request.doing}: cancelled` }
            : { kind: 'bad', text: failureWords(error) },
        );
      return undefined;
    } finally {
      if (isNewest()) this.#running = undefined;
    }
  }
}

/** The promise, or a rejection as soon as the signal fires: an engine that is slow to cancel must not hold up the UI. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  promise.catch(() => {});
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort));
}
