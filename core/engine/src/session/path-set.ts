import type { Clock } from '@awl/api';
import { AwlError, type ErrorCode } from '@awl/wire';
import type { SessionPath } from './path.ts';

/** What is known of a path beside itself. */
export interface Membership {
  /** Settles when `attach` is done with it. */
  readonly done: PromiseWithResolvers<void>;
  /** No other path was in use when it began: offsets can only have grown since. */
  readonly alone: boolean;
  /** It waits to be selected. */
  readonly hold: boolean;
}

/** The paths of a session, from their first message to their end. */
export class PathSet {
  readonly #clock: Clock;
  readonly #members = new Map<SessionPath, Membership>();
  readonly #retired = new Map<SessionPath, Disposable>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Paths that could be selected. */
  get prepared(): number {
    let count = 0;
    for (const path of this.#members.keys()) if (path.phase === 'prepared') count++;
    return count;
  }

  add(path: SessionPath, alone: boolean, hold: boolean): Membership {
    const member = { done: Promise.withResolvers<void>(), alone, hold };
    // It may be rejected when nobody waits any more.
    member.done.promise.catch(() => {});
    this.#members.set(path, member);
    return member;
  }

  get(path: SessionPath): Membership | undefined {
    return this.#members.get(path);
  }

  /** The path is gone. */
  remove(path: SessionPath, code: ErrorCode, reason: string): void {
    this.#members.get(path)?.done.reject(new AwlError(code, `The path was lost: ${reason}.`));
    this.#members.delete(path);
    this.#retired.get(path)?.[Symbol.dispose]();
    this.#retired.delete(path);
  }

  /** Another path took over: this one is only read, and for so long. */
  retire(path: SessionPath, forMs: number): void {
    path.phase = 'retired';
    const end = (): void => {
      this.remove(path, 'ERR_PATH_LOST', 'another was chosen');
      path.close();
    };
    if (forMs > 0) this.#retired.set(path, this.#clock.schedule(forMs, end));
    else end();
  }

  /** Ends all, telling the peer why where it listens. */
  close(code: ErrorCode, last: Buffer): void {
    for (const path of this.#members.keys()) {
      const listens = path.phase === 'live' || path.phase === 'prepared';
      path.close(listens ? last : undefined);
      this.remove(path, code, 'the session is over');
    }
  }
}
