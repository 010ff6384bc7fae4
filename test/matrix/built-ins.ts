import * as lanDirect from '@awl/plugin-lan-direct';
import * as tcpSimultaneousOpen from '@awl/plugin-tcp-simultaneous-open';
import * as udpKcp from '@awl/plugin-udp-kcp';
import { contributionsOf, type Contributions } from '@awl/testkit';

/** The built-in strategies and transports, the long search for two random NATs among them. */
export function builtIns(): Promise<Contributions> {
  return contributionsOf([udpKcp, tcpSimultaneousOpen, lanDirect], {
    'probing.exhaustive': true,
  });
}
