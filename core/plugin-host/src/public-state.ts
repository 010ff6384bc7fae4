import type { EngineState } from '@awl/api';

/** The state as plugins see it: without tickets, which are keys to a share, and without the log, which quotes other plugins. */
export function publicState(state: EngineState): EngineState {
  const shares: { [id: string]: EngineState['shares'][string] } = {};
  for (const [id, share] of Object.entries(state.shares)) {
    const tickets = share.tickets.map(({ ticket: _secret, ...shown }) => shown);
    shares[id] = { ...share, tickets };
  }
  return { ...state, shares, log: [] };
}
