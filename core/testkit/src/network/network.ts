import { VirtualClock } from '../clock.ts';
import { SeededRandom } from '../random.ts';
import { AddressTable } from './address.ts';
import { SimulatedHost } from './host.ts';
import { KINDS, type Kind, type KindName } from './kinds.ts';
import type { LinkCondition } from './link.ts';
import type { NatOptions } from './nat-behaviour.ts';
import { STATEFUL_FIREWALL } from './nat-behaviour.ts';
import { Router } from './router.ts';
import { Segment, type Fabric, type TraceEvent } from './segment.ts';

export interface NetworkOptions {
  /** Everything random comes from it. */
  readonly seed: number;
  readonly clock?: VirtualClock;
  /** Routers between any two places of the internet; default 6. */
  readonly hops?: number;
}

/** A place where a peer is. */
export interface Site {
  readonly host: SimulatedHost;
  /** The home router; null for a public host. */
  readonly router: Router | null;
  /** The carrier's, where there is one. */
  readonly carrier: Router | null;
}

/** What a site is made of beyond its kind. */
export interface SiteOptions {
  /** Of the site's link to the internet, each direction: the round trip between two sites is four times its delay. */
  readonly link?: LinkCondition;
  /** A LAN prefix of 24 bits, such as `192.168.1`, when it should be this one. */
  readonly lan?: string;
}

/** Between a host and its router. */
const LAN_DELAY_MS = 0.2;

/**
 * A simulated internet: hosts, LANs, routers with NATs, carriers. Deterministic from its seed, on a virtual clock, without real sockets.
 * Public addresses are documentation ones: RFC 5737, RFC 3849.
 */
export class SimulatedNetwork {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly internet: Segment;
  readonly #fabric: Fabric;
  #macs = 0;
  #sites = 0;

  constructor(options: NetworkOptions) {
    this.clock = options.clock ?? new VirtualClock();
    this.random = new SeededRandom(options.seed);
    this.#fabric = { clock: this.clock, addresses: new AddressTable(), onTrace: null };
    this.internet = new Segment(this.#fabric, 'internet', { hops: options.hops ?? 6 });
  }

  get onTrace(): ((event: TraceEvent) => void) | null {
    return this.#fabric.onTrace;
  }

  set onTrace(listener: ((event: TraceEvent) => void) | null) {
    this.#fabric.onTrace = listener;
  }

  /** `udp 192.168.10.10:40000 > 203.0.113.2:7777 ttl 64`, for a {@link TraceEvent}. */
  describe({ atMs, where, event, packet }: TraceEvent): string {
    const { addresses } = this.#fabric;
    const protocol = packet.protocol === 17 ? 'udp' : packet.protocol === 6 ? `tcp ${packet.flags}` : 'icmp';
    const from = `${addresses.text(packet.source)}:${packet.sourcePort}`;
    const to = `${addresses.text(packet.destination)}:${packet.destinationPort}`;
    return `${atMs.toFixed(3)} ${where} ${event} ${protocol} ${from} > ${to} ttl ${packet.ttl} ${packet.payload.length} bytes`;
  }

  /** A host with public addresses. */
  addPublicHost(name: string, addresses: readonly string[], link?: LinkCondition): SimulatedHost {
    const host = new SimulatedHost(this.#fabric, name, this.random.fork(`host ${name}`));
    const v4 = addresses.filter((address) => !address.includes(':'));
    const v6 = addresses.filter((address) => address.includes(':'));
    const gateways = v4
      .slice(0, 1)
      .map((address) => ({ address: address.replace(/\d+$/, '1'), mac: this.#mac() }));
    const blocks = [...v4.map((address) => `${address}/0`), ...v6.map((address) => `${address}/0`)];
    host.attach({
      segment: this.internet,
      addresses: blocks,
      gateways,
      mac: this.#mac(),
      ...(link && { link }),
    });
    return host;
  }

  /** A segment of its own, for layouts that no kind has. */
  addSegment(name: string, options: { readonly hops?: number; readonly delayMs?: number } = {}): Segment {
    return new Segment(this.#fabric, name, options);
  }

  /** A router between `outer` and the LANs that are added to it. */
  addRouter(
    name: string,
    options: {
      readonly outer?: Segment;
      readonly address: string;
      readonly pool?: readonly string[];
      readonly gateway?: string;
      readonly nat: NatOptions | null;
      readonly link?: LinkCondition;
      readonly ipv6?: string;
    },
  ): Router {
    const { outer = this.internet, address, pool = [], gateway, nat, link, ipv6 } = options;
    const wan = {
      segment: outer,
      addresses: [address, ...pool],
      mac: this.#mac(),
      ...(gateway && { gateway }),
      ...(link && { link }),
      ...(ipv6 && { ipv6 }),
    };
    return new Router(
      this.#fabric,
      name,
      wan,
      { nat, firewall: ipv6 ? STATEFUL_FIREWALL : null },
      this.random.fork(`router ${name}`),
    );
  }

  /** A LAN of a router, and one host on it. */
  addHost(
    name: string,
    router: Router,
    options: {
      readonly lan?: Segment;
      readonly prefix: string;
      readonly host?: number;
      readonly ipv6Prefix?: string;
    },
  ): SimulatedHost {
    const lan = options.lan ?? this.addLan(name, router, options);
    const { prefix, host: number = 10, ipv6Prefix } = options;
    const mac = lan.interfaces.find((each) => each.node === router)!.mac;
    const host = new SimulatedHost(this.#fabric, name, this.random.fork(`host ${name}`));
    const gateways = [{ address: `${prefix}.1`, mac }];
    const addresses = [`${prefix}.${number}/24`];
    if (ipv6Prefix) {
      addresses.push(`${ipv6Prefix}::${number}/64`);
      gateways.push({ address: `${ipv6Prefix}::1`, mac });
    }
    host.attach({ segment: lan, addresses, gateways, mac: this.#mac() });
    return host;
  }

  addLan(
    name: string,
    router: Router,
    options: { readonly prefix: string; readonly ipv6Prefix?: string },
  ): Segment {
    const segment = this.addSegment(`lan ${name}`, { delayMs: LAN_DELAY_MS });
    const { prefix, ipv6Prefix } = options;
    const ipv6 = ipv6Prefix ? { ipv6: { address: `${ipv6Prefix}::1`, prefix: `${ipv6Prefix}::/64` } } : {};
    router.addLan({ segment, address: `${prefix}.1`, prefix: `${prefix}.0/24`, mac: this.#mac(), ...ipv6 });
    return segment;
  }

  /** A place of a kind of its own, or of a preset one. */
  addSite(name: string, kind: KindName | Kind, options: SiteOptions = {}): Site {
    const { layout, nat, carrier: carrierNat, ipv6 }: Kind = typeof kind === 'string' ? KINDS[kind] : kind;
    const index = this.#sites++;
    const address = publicAddress(index);
    const link = options.link ? { link: options.link } : {};
    if (layout === 'public')
      return { host: this.addPublicHost(name, [address], options.link), router: null, carrier: null };
    const carrier = carrierNat ? this.#addCarrier(name, address, carrierNat, options.link) : null;
    const outer = carrier
      ? { outer: carrier.access, address: '100.64.0.2', gateway: '100.64.0.1' }
      : { address, ...link };
    const router = this.addRouter(name, {
      ...outer,
      nat,
      ...(ipv6 && { ipv6: `2001:db8:${index + 1}:ffff::1` }),
    });
    const host = this.addHost(name, router, this.#lan(index, options, ipv6));
    return { host, router, carrier: carrier?.router ?? null };
  }

  /** Two peers' places. A kind that says where both are (`samelan`, …) holds where both sides name it; one side alone is a home. */
  addPair(
    local: KindName | Kind,
    remote: KindName | Kind,
    options: { readonly local?: SiteOptions; readonly remote?: SiteOptions } = {},
  ): { readonly local: Site; readonly remote: Site } {
    const kind: Kind = typeof local === 'string' ? KINDS[local] : local;
    if (local === remote && kind.layout === 'same-lan') return this.#addSameLan(kind, options.local ?? {});
    if (local === remote && kind.layout === 'same-nat') return this.#addSameNat(kind, options.local ?? {});
    if (local === remote && kind.layout === 'same-carrier')
      return this.#addSameCarrier(kind, options.local ?? {});
    return {
      local: this.addSite('local', local, options.local),
      remote: this.addSite('remote', remote, options.remote),
    };
  }

  #addSameLan({ nat }: Kind, options: SiteOptions): { readonly local: Site; readonly remote: Site } {
    const router = this.addRouter('router', {
      address: publicAddress(this.#sites++),
      nat,
      ...(options.link && { link: options.link }),
    });
    const place = this.#lan(0, options, false);
    const lan = this.addLan('shared', router, place);
    const local = this.addHost('local', router, { ...place, lan });
    const remote = this.addHost('remote', router, { ...place, lan, host: 11 });
    return { local: { host: local, router, carrier: null }, remote: { host: remote, router, carrier: null } };
  }

  #addSameNat({ nat }: Kind, options: SiteOptions): { readonly local: Site; readonly remote: Site } {
    const router = this.addRouter('router', {
      address: publicAddress(this.#sites++),
      nat,
      ...(options.link && { link: options.link }),
    });
    const local = this.addHost('local', router, this.#lan(0, options, false));
    const remote = this.addHost('remote', router, this.#lan(1, {}, false));
    return { local: { host: local, router, carrier: null }, remote: { host: remote, router, carrier: null } };
  }

  #addSameCarrier(
    { nat, carrier: carrierNat }: Kind,
    options: SiteOptions,
  ): { readonly local: Site; readonly remote: Site } {
    const { router: carrier, access } = this.#addCarrier(
      'shared',
      publicAddress(this.#sites++),
      carrierNat ?? nat,
      options.link,
    );
    const [local, remote] = (['local', 'remote'] as const).map((name, index): Site => {
      const router = this.addRouter(name, {
        outer: access,
        address: `100.64.0.${2 + index}`,
        gateway: '100.64.0.1',
        nat,
      });
      return {
        host: this.addHost(name, router, this.#lan(index, index === 0 ? options : {}, false)),
        router,
        carrier,
      };
    });
    return { local: local!, remote: remote! };
  }

  #addCarrier(
    name: string,
    address: string,
    nat: NatOptions,
    link: LinkCondition | undefined,
  ): { readonly router: Router; readonly access: Segment } {
    const router = this.addRouter(`carrier ${name}`, { address, nat, ...(link && { link }) });
    const access = this.addSegment(`access ${name}`, { delayMs: 1 });
    router.addLan({ segment: access, address: '100.64.0.1', prefix: '100.64.0.0/10', mac: this.#mac() });
    return { router, access };
  }

  #lan(
    index: number,
    options: SiteOptions,
    ipv6: boolean | undefined,
  ): { readonly prefix: string; readonly ipv6Prefix?: string } {
    return {
      prefix: options.lan ?? `192.168.${10 + index}`,
      ...(ipv6 && { ipv6Prefix: `2001:db8:${index + 1}:1` }),
    };
  }

  #mac(): string {
    const number = (++this.#macs).toString(16).padStart(6, '0');
    return `02:00:00:${number.slice(0, 2)}:${number.slice(2, 4)}:${number.slice(4)}`;
  }
}

/** The public address of the site with this number. */
function publicAddress(index: number): string {
  return `${index % 2 === 0 ? '203.0.113' : '198.51.100'}.${11 + index}`;
}

/** Changes the condition of a site's link to the internet, both directions. */
export function setSiteLink({ host, router, carrier }: Site, condition: LinkCondition): void {
  const outermost = carrier ?? router;
  if (!outermost) return host.setLink(condition);
  outermost.wan.up.set(condition);
  outermost.wan.down.set(condition);
}
