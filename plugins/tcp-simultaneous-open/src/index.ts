/** TCP through NATs: both sides dial at once (RFC 9293 §3.5, RFC 5382 §4.2). */
import type { PluginContext } from '@awl/api';
import { tcpSimultaneousOpen } from './tcp-simultaneous-open.ts';

export function activate(context: PluginContext): void {
  context.strategies.register(tcpSimultaneousOpen);
}
