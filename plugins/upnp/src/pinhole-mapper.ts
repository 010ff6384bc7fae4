import type { MapperGateway, MappingRequest, PortMapper, PortMapping } from '@awl/api';
import type { Service } from './description.ts';
import { decodeHandle, encodeHandle } from './handle.ts';
import { runAction, type Igd } from './igd.ts';
import { KnownIgd } from './known-igd.ts';
import { router6Of, type Router } from './router.ts';
import { UpnpError } from './soap.ts';
import type { MapperParts } from './upnp-mapper.ts';

/** IANA protocol numbers. */
const PROTOCOL_NUMBER = { udp: 17, tcp: 6 } as const;
/** NoSuchEntry (WANIPv6FirewallControl:1, §2.4); miniupnpd says InvalidArgs of an id that it does not know. */
const GONE: ReadonlySet<number> = new Set([704, 402]);
const LEASE_MAX_S = 86_400;

type Arguments = readonly (readonly [name: string, value: string | number])[];

/**
 * Openings in the router's IPv6 firewall, by WANIPv6FirewallControl of IGD 2. Nothing is translated: the external address is this host's own.
 */
export class PinholeMapper implements PortMapper {
  readonly id = 'upnp-ipv6';
  readonly #parts: MapperParts;
  readonly #igd: KnownIgd;

  constructor(parts: MapperParts) {
    this.#parts = parts;
    this.#igd = new KnownIgd(parts);
  }

  async discover(signal: AbortSignal): Promise<MapperGateway | undefined> {
    const router = await router6Of(this.#parts.host);
    const igd = router && (await this.#igd.find(signal));
    if (!igd || !firewallOf(igd)) return undefined;
    const status = await this.#run(igd, router, 'GetFirewallStatus', [], signal).catch(() => undefined);
    if (!isTrue(status?.get('FirewallEnabled')) || !isTrue(status?.get('InboundPinholeAllowed')))
      return undefined;
    return {
      address: router.address,
      description: `UPnP: ${igd.description.name}`,
      externalAddress: router.localAddress,
    };
  }

  async map(request: MappingRequest, signal: AbortSignal): Promise<PortMapping> {
    const router = await router6Of(this.#parts.host);
    if (!router) throw new Error('this host has no global IPv6 address');
    const { protocol, internalPort } = request;
    const lifetimeS = Math.min(request.lifetimeS, LEASE_MAX_S);
    const args = [
      ['RemoteHost', ''],
      ['RemotePort', 0],
      ['InternalClient', router.localAddress],
      ['InternalPort', internalPort],
      ['Protocol', PROTOCOL_NUMBER[protocol]],
      ['LeaseTime', lifetimeS],
    ] as const;
    const answer = await this.#igd.use(signal, (igd) => this.#run(igd, router, 'AddPinhole', args, signal));
    const pinhole = /^\d{1,5}$/.exec(answer.get('UniqueID') ?? '')?.[0];
    if (pinhole === undefined) throw new Error('the router told no id of the opening');
    return {
      protocol,
      internalPort,
      externalPort: internalPort,
      externalAddress: router.localAddress,
      lifetimeS,
      handle: encodeHandle({ ...router, pinhole: Number(pinhole) }),
    };
  }

  /**
   * Asks for the same opening again, which renews it and has the same id: after a restart of the router the old id may be another opening's.
   * With a changed prefix or a new privacy address it is another opening; the old one leads nowhere, and ends by itself.
   */
  async refresh(mapping: PortMapping, signal: AbortSignal): Promise<PortMapping> {
    return await this.map(mapping, signal);
  }

  async unmap(mapping: PortMapping, signal: AbortSignal): Promise<void> {
    const { pinhole, ...router } = decodeHandle(mapping);
    const args = [['UniqueID', pinhole ?? 0]] as const;
    try {
      await this.#igd.use(signal, (igd) => this.#run(igd, router, 'DeletePinhole', args, signal));
    } catch (error) {
      if (!(error instanceof UpnpError) || !GONE.has(error.code)) throw error;
    }
  }

  /**
   * Over IPv6 first, since a router lets a host open pinholes for its own address only; over IPv4 where its HTTP server has no IPv6. The
   * port and path are those of the description that was found over IPv4.
   */
  async #run(
    igd: Igd,
    router: Router,
    action: string,
    args: Arguments,
    signal: AbortSignal,
  ): Promise<Map<string, string>> {
    const service = firewallOf(igd);
    if (!service) throw new Error('the router has no service for IPv6 firewalls');
    const controlUrl = new URL(service.controlUrl);
    controlUrl.hostname = `[${router.address}]`;
    try {
      return await runAction(this.#parts.host, { type: service.type, controlUrl }, action, args, signal);
    } catch (error) {
      if (error instanceof UpnpError || signal.aborted) throw error;
      return await runAction(this.#parts.host, service, action, args, signal);
    }
  }
}

function firewallOf({ description }: Igd): Service | undefined {
  return description.services.find(({ name }) => name === 'WANIPv6FirewallControl');
}

/** UPnP Device Architecture 2.0, §2.5: a boolean is 0, 1, or a word that old devices used. */
function isTrue(text: string | undefined): boolean {
  return ['1', 'true', 'yes'].includes((text ?? '').toLowerCase());
}
