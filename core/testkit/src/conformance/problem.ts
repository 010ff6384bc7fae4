import type { KindName } from '../network/kinds.ts';

/** A rule that a strategy broke. */
export interface Problem {
  readonly rule:
    | 'id'
    | 'assess'
    | 'honesty'
    | 'prepare'
    | 'outcome'
    | 'abort'
    | 'deadline'
    | 'budget'
    | 'leases'
    | 'roles'
    | 'replay'
    | 'advert';
  /** What happened. */
  readonly message: string;
  /** What to change. */
  readonly fix: string;
  /** `simulate()` with these shows it again. */
  readonly replay?: { readonly local: KindName; readonly remote: KindName; readonly seed: number };
}

/** A problem as text: what, where to see it again, what to do. */
export function formatProblem({ rule, message, fix, replay }: Problem): string {
  const again = replay
    ? `\n  again: simulate({ local: '${replay.local}', remote: '${replay.remote}', seed: ${replay.seed}, … })`
    : '';
  return `${rule}: ${message}\n  fix: ${fix}${again}`;
}

/** One problem of each kind is enough to work on: the first of equal rule and fix. */
export function distinct(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ rule, fix }) => {
    const key = `${rule} ${fix}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** A thrown value in a few words. */
export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
