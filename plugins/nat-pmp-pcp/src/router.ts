import type { Family, Gateway, Host, HostInterface } from '@awl/api';

/** A gateway, and the address of this host that it knows: the one that a mapping leads to. */
export interface Router {
  readonly address: string;
  readonly localAddress: string;
}

/** More gateways than this are not asked. */
const ROUTERS_MAX = 4;

/** The gateways of this host that could map ports for it. */
export async function routersOf(host: Host, family: Family): Promise<Router[]> {
  const interfaces = host.interfaces().filter((each) => each.family === family && !each.internal);
  return (await host.gateways())
    .filter(({ address }) => address.includes(':') === (family === 6))
    .flatMap((gateway) => {
      const local = interfaces.find((each) => leadsTo(each, gateway));
      return local ? [{ address: gateway.address, localAddress: local.address }] : [];
    })
    .slice(0, ROUTERS_MAX);
}

/** For IPv6 only a global address is worth a mapping (RFC 4291 §2.4): link-local and unique local ones are reached from nowhere. */
function leadsTo({ name, family, address }: HostInterface, gateway: Gateway): boolean {
  return name === gateway.interfaceName && (family === 4 || /^[23]/.test(address));
}
