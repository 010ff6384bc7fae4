import type { Gateway } from '@awl/api';

/** RTF_UP and RTF_GATEWAY of linux/route.h. */
const UP_GATEWAY = 0x3;

/**
 * Default routes of /proc/net/ipv6_route: destination, prefix length, source, its prefix length, next hop, metric, reference count, use count,
 * flags, interface; all hexadecimal.
 */
export function parseIpv6Routes(table: string): Gateway[] {
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([destination, prefix, , , hop, , , , flags]) =>
        /^0{32}$/.test(destination ?? '') &&
        prefix === '00' &&
        /^[0-9a-f]{32}$/.test(hop ?? '') &&
        (parseInt(flags ?? '0', 16) & UP_GATEWAY) === UP_GATEWAY,
    )
    .map((fields) => ({ address: canonical(fields[4]!), interfaceName: fields[9] ?? '' }));
}

function canonical(hex: string): string {
  return new URL(`http://[${hex.match(/.{4}/g)!.join(':')}]`).hostname.slice(1, -1);
}
