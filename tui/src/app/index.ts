import type { RunOptions } from './run.tsx';

/** See {@link RunOptions}. */
export type { RunOptions } from './run.tsx';

/** True where the full-screen app works: a terminal on both sides that can move the cursor. Else a caller prints plain lines. */
export function canShowApp(
  stdin: { readonly isTTY?: boolean },
  stdout: { readonly isTTY?: boolean },
  env: { readonly [name: string]: string | undefined },
): boolean {
  return stdin.isTTY === true && stdout.isTTY === true && env['TERM'] !== 'dumb' && env['TERM'] !== '';
}

/**
 * Shows the app until the user leaves. Ink and React are loaded here and not before, so that commands without a screen start quickly.
 * Rejects with what the app crashed on; the terminal is restored in any case.
 */
export async function runApp(options: RunOptions): Promise<void> {
  // React picks its development build, several times slower, unless told otherwise before it is loaded.
  process.env['NODE_ENV'] ??= 'production';
  const { run } = await import('./run.tsx');
  await run(options);
}
