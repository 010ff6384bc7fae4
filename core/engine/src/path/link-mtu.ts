import type { HostInterface } from '@awl/api';
import { isLoopback } from '../socket/destinations.ts';
import { withoutZone } from '../socket/lan-address.ts';
import type { Network } from '../socket/network.ts';
import { isOnLink } from '../socket/on-link.ts';
import { ETHERNET_MTU_BYTES } from './path-mtu.ts';

/**
 * MTU of the link that leads to an address of this host or of a network it is in. Elsewhere, and where the system does not tell, that of
 * Ethernet: routers on the way may carry more, but fragments of what they do not carry get lost in NATs.
 */
export async function linkMtu(network: Network, remoteAddress: string): Promise<number> {
  const name = interfaceTo(network.interfaces(), withoutZone(remoteAddress))?.name;
  const mtuBytes = name === undefined ? undefined : await network.mtuBytes?.(name);
  return mtuBytes ?? ETHERNET_MTU_BYTES;
}

function interfaceTo(interfaces: readonly HostInterface[], address: string): HostInterface | undefined {
  const own = isLoopback(address) || interfaces.some((candidate) => candidate.address === address);
  return interfaces.find((candidate) => (own ? candidate.kind === 'loopback' : isOnLink(candidate, address)));
}
