import type { CommandName, Commands, Patch, Snapshot } from '@awl/api';
import type { StateStore } from '@awl/engine';
import type { NodeClient } from './client.ts';
import type { NodeEvent } from './events.ts';

/** Runs commands; shared by the control socket and by clients in the node's own process. */
export type RunCommand = <Name extends CommandName>(
  name: Name,
  params: Commands[Name]['params'],
  signal: AbortSignal,
) => Promise<Commands[Name]['result']>;

/** What a client of a node is made of. */
export interface ClientParts {
  readonly state: StateStore;
  readonly run: RunCommand;
  readonly closed: Promise<void>;
  onEvent(listener: (event: NodeEvent) => void): Disposable;
}

/** A client in the node's own process. */
export function localClient(parts: ClientParts): NodeClient {
  const subscriptions = new DisposableStack();
  return {
    closed: parts.closed,
    snapshot: (): Promise<Snapshot> => Promise.resolve(parts.state.snapshot()),
    subscribe: (listener: (patch: Patch) => void) => subscriptions.use(parts.state.subscribe(listener)),
    onEvent: (listener) => subscriptions.use(parts.onEvent(listener)),
    async command(name, params, signal) {
      return parts.run(name, params, signal ?? new AbortController().signal);
    },
    close: async () => subscriptions.dispose(),
    [Symbol.asyncDispose]: async () => subscriptions.dispose(),
  };
}
