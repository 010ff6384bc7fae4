import type { ClientParts } from '../local-client.ts';

/** What clients of the control socket are served with. */
export interface ControlServerOptions extends ClientParts {
  readonly version: string;
  readonly peerId: string;
  readonly warn: (text: string) => void;
}
