import { isIPv6 } from 'node:net';
import type { Gateway, HostInterface } from '@awl/api';
import type { Network } from './network.ts';

/** An address without the zone that the system adds to link-local ones (RFC 4007 §11). */
export function withoutZone(address: string): string {
  return address.split('%')[0]!;
}

/** True for fe80::/10. */
export function isLinkLocal6(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address);
}

/** The address as the system wants it: a link-local one needs its zone. */
export function withZone(address: string, interfaceName: string): string {
  return isLinkLocal6(address) || /^ff[0-9a-f]2:/i.test(address) ? `${address}%${interfaceName}` : address;
}

/** The gateway of this address; undefined where it is none. */
export async function gatewayAt(network: Network, address: string): Promise<Gateway | undefined> {
  const gateways = await network.gateways();
  return gateways.find((gateway) => withoutZone(gateway.address) === address);
}

/**
 * The address from which to speak to a link-local gateway: a router lets a host map its own address only, so packets must leave from the one
 * that is to be reached.
 */
export function sourceFor(network: Network, gateway: Gateway): HostInterface | undefined {
  if (!isIPv6(gateway.address)) return undefined;
  return network
    .interfaces()
    .find(
      ({ name, family, address, internal }) =>
        name === gateway.interfaceName && family === 6 && !internal && !isLinkLocal6(address),
    );
}
