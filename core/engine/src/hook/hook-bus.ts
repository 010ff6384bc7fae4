import {
  delay,
  HOOKS,
  type Clock,
  type Denial,
  type HookName,
  type HookOrder,
  type HookResult,
  type HookTap,
  type HookValue,
} from '@awl/api';
import type { Owner } from '../registry.ts';

/** A tap that fails this often in a row is not called again until its plugin is enabled anew. */
const FAILURES_UNTIL_QUARANTINE = 5;

/** Longest list that a `collect` tap may return; the rest is dropped. */
const COLLECT_LIMIT = 256;

interface Tap {
  readonly run: (value: unknown) => unknown;
  readonly owner: Owner;
  readonly rank: number;
  failuresInRow: number;
  quarantined: boolean;
}

const RANK: Record<HookOrder, number> = { pre: 0, normal: 1, post: 2 };

/** A tap threw, took too long, or was quarantined. */
export interface TapFailure {
  readonly hook: HookName;
  readonly owner: Owner;
  readonly reason: string;
  readonly quarantined: boolean;
}

/**
 * Calls taps as their hook's kind says. A failing tap costs its own contribution only, except on an authorizing hook: there it denies, and
 * goes on denying once quarantined, so that breaking a guard never opens a door.
 */
export class HookBus {
  readonly #clock: Clock;
  readonly #onFailure: (failure: TapFailure) => void;
  readonly #taps = new Map<HookName, Tap[]>();

  constructor(clock: Clock, onFailure: (failure: TapFailure) => void) {
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  tap<Name extends HookName>(
    name: Name,
    run: HookTap<Name>,
    owner: Owner,
    order: HookOrder = 'normal',
  ): Disposable {
    const tap: Tap = {
      run: run as (value: unknown) => unknown,
      owner,
      rank: RANK[order],
      failuresInRow: 0,
      quarantined: false,
    };
    const taps = [...(this.#taps.get(name) ?? []), tap].sort((a, b) => a.rank - b.rank);
    this.#taps.set(name, taps);
    return {
      [Symbol.dispose]: () => {
        this.#taps.set(
          name,
          (this.#taps.get(name) ?? []).filter((other) => other !== tap),
        );
      },
    };
  }

  /** Calls an `event` hook; nobody waits. */
  emit<Name extends HookName>(name: Name, value: HookValue<Name>): void {
    for (const tap of this.#taps.get(name) ?? []) void this.#call(name, tap, value);
  }

  /** Calls a `series` hook, one tap after the other. */
  async series<Name extends HookName>(name: Name, value: HookValue<Name>): Promise<void> {
    for (const tap of this.#taps.get(name) ?? []) await this.#call(name, tap, value);
  }

  /** Calls a `collect` hook and joins what the taps return. */
  async collect<Name extends HookName>(name: Name, value: HookValue<Name>): Promise<HookResult<Name>> {
    const lists = await Promise.all((this.#taps.get(name) ?? []).map((tap) => this.#call(name, tap, value)));
    const joined = lists.flatMap((list) =>
      list.ok && Array.isArray(list.result) ? list.result.slice(0, COLLECT_LIMIT) : [],
    );
    return joined as HookResult<Name>;
  }

  /** Passes `value` from tap to tap; one that returns undefined or fails leaves it as it is. */
  async waterfall<Name extends HookName>(
    name: Name,
    value: HookValue<Name> & HookResult<Name>,
  ): Promise<HookResult<Name>> {
    let current: HookValue<Name> & HookResult<Name> = value;
    for (const tap of this.#taps.get(name) ?? []) {
      const answer = await this.#call(name, tap, current);
      if (answer.ok && answer.result !== undefined) current = answer.result as typeof current;
    }
    return current;
  }

  /** Calls a `bail` hook; the first answer decides. On an authorizing hook a failing tap is a denial. */
  async bail<Name extends HookName>(
    name: Name,
    value: HookValue<Name>,
  ): Promise<HookResult<Name> | undefined> {
    const authorizing = HOOKS[name].authorizing === true;
    for (const tap of this.#taps.get(name) ?? []) {
      const answer = await this.#call(name, tap, value);
      if (answer.ok && answer.result !== undefined) return answer.result as HookResult<Name>;
      if (!answer.ok && authorizing) {
        const denial: Denial = { deny: `the guard of plugin ${tap.owner.plugin} fails: ${answer.reason}` };
        return denial;
      }
    }
    return undefined;
  }

  async #call(
    name: HookName,
    tap: Tap,
    value: unknown,
  ): Promise<{ ok: true; result: unknown } | { ok: false; reason: string }> {
    if (tap.quarantined)
      return { ok: false, reason: `quarantined after ${FAILURES_UNTIL_QUARANTINE} failures in a row` };
    const { timeoutMs } = HOOKS[name];
    const done = new AbortController();
    try {
      const late = delay(this.#clock, timeoutMs, done.signal).then(() => {
        throw new Error(`no answer within ${timeoutMs} ms`);
      });
      late.catch(() => {}); // the loser of the race must not become an unhandled rejection
      const result = await Promise.race([Promise.resolve(tap.run(value)), late]);
      tap.failuresInRow = 0;
      return { ok: true, result };
    } catch (error) {
      tap.failuresInRow += 1;
      tap.quarantined = tap.failuresInRow >= FAILURES_UNTIL_QUARANTINE;
      const reason = error instanceof Error ? error.message : String(error);
      this.#onFailure({ hook: name, owner: tap.owner, reason, quarantined: tap.quarantined });
      return { ok: false, reason };
    } finally {
      done.abort();
    }
  }
}
