import type { Host } from '@awl/api';

/** A gateway, and the address of this host that it knows: the one that a mapping leads to. */
export interface Router {
  readonly address: string;
  readonly localAddress: string;
}

/** More gateways than this are not asked. */
const ROUTERS_MAX = 4;

/** The IPv4 gateways of this host. */
export async function routersOf(host: Host): Promise<Router[]> {
  const interfaces = host.interfaces().filter(({ family, internal }) => family === 4 && !internal);
  return (await host.gateways())
    .filter(({ address }) => !address.includes(':'))
    .flatMap(({ address, interfaceName }) => {
      const local = interfaces.find(({ name }) => name === interfaceName);
      return local ? [{ address, localAddress: local.address }] : [];
    })
    .slice(0, ROUTERS_MAX);
}

/** The IPv6 gateway, and the global address (RFC 4291 §2.4) of this host behind it. */
export async function router6Of(host: Host): Promise<Router | undefined> {
  const interfaces = host
    .interfaces()
    .filter(({ family, address, internal }) => family === 6 && !internal && /^[23]/.test(address));
  for (const { address, interfaceName } of await host.gateways()) {
    const local = interfaces.find(({ name }) => name === interfaceName);
    if (address.includes(':') && local) return { address, localAddress: local.address };
  }
  return undefined;
}
