import type { ScreenName } from '../store/ui-state.ts';

/** What each screen is for, in a few sentences. */
export const HELP_TEXTS: { readonly [Name in ScreenName]: string } = {
  overview:
    'What this network does to packets, which kinds of networks it reaches directly, and who is there. A peer is reached directly, on the same LAN, by a mapped port or by a relay; the path says so, and by what transport. Figures with ≈ are estimates; what is not known is called unknown. u turns on upnp and o allows the long search where the hints offer it; esc cancels the attempt of the chosen peer.',
  peer: 'One peer. While it is being reached, each strategy has a row: how likely it was judged to work, how it stands, how many probes it used of its budget. Afterwards: the decisions in order, why it failed and what helps; the paths in use and before, and the throughput.',
  forwards:
    'Out: ports on this machine that lead to a service of a peer. In: services here that others may use. Changes take effect at once and are kept.',
  plugins:
    'Every way through NATs is a plugin. Space turns one on or off at once; enter edits its settings; D turns one off although open sessions use it. Below: what the chosen plugin adds, what went wrong with it, and what it shows of itself.',
  nat: 'This network against every kind of network: whether a direct connection is expected, by what, how long it takes. ← → change between this matrix, the verdicts on the NAT, and the evidence behind them. r measures again.',
  log: 'What the node did, newest at the bottom. v changes the level, / searches, arrows scroll, G follows again.',
};
