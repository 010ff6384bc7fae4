import { networkInterfaces } from 'node:os';
import { AwlError, formatIp, parseIp, type StunAddress } from '@awl/wire';
import type { Advertise } from './options.ts';

/** Primary or alternate port. */
export type PortIndex = 0 | 1;

/** A local socket: which address, which port. */
export interface Site {
  readonly address: number;
  readonly port: PortIndex;
}

/** The addresses and ports that the server answers at. */
export interface Topology {
  /** May grow. */
  readonly addresses: readonly string[];
  /** Primary and alternate. */
  readonly ports: readonly [number, number];
  /** The other address of RFC 5780 for each, by index; undefined where there is none. */
  alternateOf(address: number): number | undefined;
  /** A site as it is seen from outside. */
  published(site: Site): StunAddress;
}

export type Scope = 'loopback' | 'private' | 'global';

/** How far an address reaches. */
export function scopeOf(address: string): Scope {
  const bytes = parseIp(address);
  if (!bytes) return 'global';
  const [a, b] = [bytes[0]!, bytes[1]!];
  if (bytes.length === 16) {
    if (address === '::1') return 'loopback';
    return (a & 0xfe) === 0xfc ? 'private' : 'global'; // fc00::/7, RFC 4193
  }
  if (a === 127) return 'loopback';
  // RFC 1918, RFC 6598
  const isPrivate =
    a === 10 ||
    (a === 172 && (b & 0xf0) === 16) ||
    (a === 192 && b === 168) ||
    (a === 100 && (b & 0xc0) === 64);
  return isPrivate || (a === 169 && b === 254) ? 'private' : 'global';
}

const SCOPE_ORDER: Readonly<Record<Scope, number>> = { global: 0, private: 1, loopback: 2 };

/** The addresses to listen on, those that reach furthest first. Throws `ERR_USAGE`, `ERR_SOCKET_BIND`. */
export function localAddresses(host: string, altAddress?: string): string[] {
  const primary = canonical(host, 'host');
  const alternate = altAddress === undefined ? undefined : canonical(altAddress, 'alternate address');
  if (alternate !== undefined && (isWildcard(alternate) || alternate === primary))
    throw new AwlError('ERR_USAGE', 'The alternate address must be another single address.');
  if (alternate !== undefined && primary !== '::' && alternate.includes(':') !== primary.includes(':'))
    throw new AwlError('ERR_USAGE', 'The alternate address must be of the same IP version.');
  const addresses = isWildcard(primary) ? foundAddresses(primary) : [primary];
  if (alternate !== undefined && !addresses.includes(alternate)) addresses.push(alternate);
  if (addresses.length === 0) throw new AwlError('ERR_SOCKET_BIND', 'This machine has no IP address.');
  return addresses;
}

/** Pairs each address with the alternate one, and that with the first other. */
export function makeTopology(
  addresses: readonly string[],
  ports: readonly [number, number],
  altAddress?: string,
  advertise?: Advertise,
): Topology {
  const alternate =
    altAddress === undefined ? -1 : addresses.indexOf(canonical(altAddress, 'alternate address'));
  const main = addresses.findIndex(
    (address, index) => index !== alternate && address.includes(':') === addresses[alternate]?.includes(':'),
  );
  const advertised = advertise && parseIp(advertise.host) ? formatIp(parseIp(advertise.host)!) : undefined;
  return {
    addresses,
    ports,
    alternateOf(address) {
      if (alternate < 0 || main < 0) return undefined;
      if (address === alternate) return main;
      return addresses[address]!.includes(':') === addresses[alternate]!.includes(':')
        ? alternate
        : undefined;
    },
    published({ address, port }) {
      const own = addresses[address]!;
      const isAdvertised =
        advertised !== undefined &&
        address !== alternate &&
        advertised.includes(':') === own.includes(':') &&
        scopeOf(own) !== 'loopback';
      const advertisedPort = port === 0 ? advertise?.port : advertise?.altPort;
      return isAdvertised
        ? { address: advertised, port: advertisedPort ?? ports[port] }
        : { address: own, port: ports[port] };
    },
  };
}

/**
 * The STUN endpoints to tell a peer whose connection came in at `at`: first the address that it reached us at, whatever that is called
 * outside; then the alternate one; then others that reach everywhere. A container's bridge would only cost it timeouts.
 */
export function stunEndpoints(
  topology: Topology,
  at: string,
  advertise?: Advertise,
): { address?: string; port: number }[] {
  const { addresses, ports } = topology;
  const reached = addresses.indexOf(at);
  const isLoopback = scopeOf(at) === 'loopback';
  const endpoints: { address?: string; port: number }[] = isLoopback
    ? [{ port: ports[0] }, { port: ports[1] }]
    : [{ port: advertise?.port ?? ports[0] }, { port: advertise?.altPort ?? ports[1] }];
  const alternate = reached < 0 ? undefined : topology.alternateOf(reached);
  const others = addresses
    .map((_, index) => index)
    .filter((index) => {
      if (index === reached) return false;
      return (
        index === alternate ||
        (!advertise && scopeOf(addresses[index]!) === 'global' && scopeOf(at) === 'global')
      );
    });
  for (const address of others.slice(0, 15))
    for (const port of [0, 1] as const) endpoints.push(topology.published({ address, port }));
  return endpoints;
}

/** Every address, those to come included. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function canonical(text: string, what: string): string {
  const bytes = parseIp(text);
  if (!bytes)
    throw new AwlError('ERR_USAGE', `The ${what} ${JSON.stringify(text.slice(0, 60))} is not an IP address.`);
  return formatIp(bytes);
}

function foundAddresses(wildcard: string): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, scopeid }) => family === 'IPv4' || (wildcard === '::' && scopeid === 0))
    .map(({ address }) => address)
    .filter((address, index, all) => all.indexOf(address) === index)
    .sort((a, b) => SCOPE_ORDER[scopeOf(a)] - SCOPE_ORDER[scopeOf(b)]);
}
