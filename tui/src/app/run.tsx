import type { EngineClient } from '@awl/api';
import { render } from 'ink';
import { App } from './app.tsx';
import { Commander } from './store/commander.ts';
import { EngineStore } from './store/store.ts';
import type { Overlay } from './store/ui-state.ts';
import { themeFor } from './theme.ts';

/** What the app runs on. */
export interface RunOptions {
  readonly client: EngineClient;
  readonly stdout: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  readonly env: { readonly [name: string]: string | undefined };
  /** True: ask the first-start questions before anything else. */
  readonly isFirstStart?: boolean;
  /** The present, milliseconds since the Unix epoch; default `Date.now`. */
  readonly now?: () => number;
  /** Ends the app, as q does. */
  readonly signal?: AbortSignal;
}

/** Draws the app until the user leaves; the terminal is as before then. Rejects with what the app crashed on. */
export async function run(options: RunOptions): Promise<void> {
  const { client, stdout, stdin, env, signal } = options;
  using store = new EngineStore(client, options.now ? { now: options.now } : {});
  const commander = new Commander(client);
  let quit = (): void => {};
  const services = { store, commander, theme: themeFor((env['NO_COLOR'] ?? '') === ''), quit: () => quit() };
  const first: Overlay = options.isFirstStart ? { kind: 'welcome' } : { kind: 'none' };
  const app = render(<App services={services} firstOverlay={first} />, {
    stdout,
    stdin,
    exitOnCtrlC: false,
    alternateScreen: true,
    incrementalRendering: true,
    interactive: true,
    isScreenReaderEnabled: env['INK_SCREEN_READER'] === 'true',
  });
  quit = () => {
    commander.cancel();
    app.unmount();
  };
  // A crash outside of the components: the terminal comes back first, so that the message can be read.
  const restore = (): void => app.unmount();
  process.once('uncaughtExceptionMonitor', restore);
  signal?.addEventListener('abort', quit, { once: true });
  if (signal?.aborted) quit();
  try {
    await app.waitUntilExit();
  } finally {
    signal?.removeEventListener('abort', quit);
    process.off('uncaughtExceptionMonitor', restore);
  }
}
