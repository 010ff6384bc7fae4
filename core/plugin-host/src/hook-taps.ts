import { HOOKS, type HookName, type HookTap } from '@awl/api';

/** Calls one plugin's taps of a hook, in the order they were registered, as the hook's kind says. */
export async function callTaps(
  name: HookName,
  taps: readonly HookTap<HookName>[],
  value: unknown,
): Promise<unknown> {
  const { kind } = HOOKS[name];
  let current = value;
  const collected: unknown[] = [];
  for (const tap of taps) {
    const result: unknown = await tap(current as Parameters<typeof tap>[0]);
    if (result === undefined) continue;
    if (kind === 'bail') return result;
    if (kind === 'waterfall') current = result;
    if (kind === 'collect' && Array.isArray(result)) collected.push(...(result as readonly unknown[]));
  }
  if (kind === 'waterfall') return current;
  return kind === 'collect' ? collected : undefined;
}
