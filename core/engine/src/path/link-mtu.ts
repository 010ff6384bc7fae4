import { BlockList, isIPv6 } from 'node:net';
import type { HostInterface } from '@awl/api';
import { isLoopback } from '../socket/destinations.ts';
import { withoutZone } from '../socket/lan-address.ts';
import type { Network } from '../socket/network.ts';
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
  return interfaces.find((candidate) => (own ? candidate.kind === 'loopback' : leadsTo(candidate, address)));
}

function leadsTo({ address, prefixLength, family }: HostInterface, to: string): boolean {
  if (isIPv6(to) !== (family === 6)) return false;
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const subnet = new BlockList();
  subnet.addSubnet(withoutZone(address), prefixLength, type);
  return subnet.check(to, type);
}
