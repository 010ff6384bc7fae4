/** UDP through NATs, and a reliable stream over it by KCP. */
import type { PluginContext } from '@awl/api';
import { kcpTransport } from './kcp-transport.ts';
import { udpDirect } from './udp-direct.ts';

export function activate(context: PluginContext): void {
  context.strategies.register(udpDirect);
  context.transports.register(kcpTransport);
}
