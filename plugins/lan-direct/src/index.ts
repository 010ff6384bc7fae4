/** Peers behind one gateway reach each other without leaving the LAN. */
import type { PluginContext } from '@awl/api';
import { lanDirectTcp } from './lan-direct-tcp.ts';
import { lanDirectUdp } from './lan-direct-udp.ts';

export function activate(context: PluginContext): void {
  context.strategies.register(lanDirectUdp);
  context.strategies.register(lanDirectTcp);
}
