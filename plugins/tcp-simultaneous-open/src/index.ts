/** TCP through NATs: both sides dial at once (RFC 9293 §3.5, RFC 5382 §4.2). */
import type { PluginContext } from '@awl/api';
import { tcpBirthday } from './tcp-birthday.ts';
import { tcpSimultaneousOpen } from './tcp-simultaneous-open.ts';

export function activate(context: PluginContext): void {
  context.strategies.register(tcpSimultaneousOpen);
  context.strategies.register(tcpBirthday);
}
