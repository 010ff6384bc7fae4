/** UDP through NATs, and a reliable stream over it by KCP. */
import type { PluginContext } from '@awl/api';
import { kcpTransport } from './kcp-transport.ts';
import { udpBirthday } from './udp-birthday.ts';
import { udpDirect } from './udp-direct.ts';
import { udpPredict } from './udp-predict.ts';
import { udpBirthdayBoth, udpSweep } from './udp-sweep.ts';

export function activate(context: PluginContext): void {
  for (const strategy of [udpDirect, udpPredict, udpBirthday, udpSweep, udpBirthdayBoth])
    context.strategies.register(strategy);
  context.transports.register(kcpTransport);
}
