import { BlockList, isIPv6 } from 'node:net';
import type { HostInterface } from '@awl/api';
import { withoutZone } from './lan-address.ts';

/** Whether an address belongs to the network that an interface is in. */
export function isOnLink({ address, prefixLength, family }: HostInterface, other: string): boolean {
  if (isIPv6(other) !== (family === 6)) return false;
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const subnet = new BlockList();
  subnet.addSubnet(withoutZone(address), prefixLength, type);
  return subnet.check(other, type);
}
