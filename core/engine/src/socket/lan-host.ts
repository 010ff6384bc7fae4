import type { Capability, Host } from '@awl/api';
import { AwlError } from '@awl/wire';
import type { Owner } from '../registry.ts';
import { lanHttp } from './lan-http.ts';
import { openLanSocket } from './lan-socket.ts';
import type { Network } from './network.ts';

/**
 * The host as a plugin's capabilities let it see: its addresses and gateways, and of the LAN the gateways alone. Anything else that a LAN
 * has (printers, cameras, other people's machines) stays out of a plugin's reach.
 */
export function lanHost(network: Network, owner: Owner): Host {
  return {
    gateways: () => network.gateways(),
    interfaces: () => network.interfaces(),
    async lanHttp(request) {
      need(owner, 'lan-http');
      return await lanHttp(network, request);
    },
    async lanUdp(options) {
      if (options.multicastGroup !== undefined) need(owner, 'multicast');
      else if (!owner.capabilities.includes('multicast')) need(owner, 'udp');
      return await openLanSocket(network, options);
    },
  };
}

function need(owner: Owner, capability: Capability): void {
  if (owner.capabilities.includes(capability)) return;
  throw new AwlError(
    'ERR_PLUGIN_CAPABILITY',
    `${owner.plugin} reached for the LAN without the capability ${capability}`,
  );
}
