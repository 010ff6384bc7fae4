import type { Family } from '@awl/api';
import { isCanonicalAddress } from '../signal/messages.ts';

/** IPv4 blocks (RFC 6890) that nobody on the internet can send to, and what it means that a router has such an address outside. */
const UNUSABLE: readonly { readonly block: RegExp; readonly reason: string }[] = [
  {
    block: /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\./,
    reason:
      'is private (RFC 1918): there is another router above this one; map the port there, or bridge one',
  },
  {
    block: /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./,
    reason:
      'is shared by the carrier (RFC 6598): no mapping can reach through its NAT; ask it for a public address, or use IPv6',
  },
  {
    block: /^192\.0\.0\./,
    reason: 'is the carrier’s (RFC 7335): IPv4 is carried over IPv6 here; use IPv6',
  },
  { block: /^0\./, reason: 'is none: the router is not connected' },
  { block: /^(127|169\.254|22[4-9]|23\d|24\d|25[0-5])\./, reason: 'is not one of the internet' },
];

/** Why nobody on the internet can reach a mapping at this external address; undefined where somebody can. */
export function whyUnreachable(address: string, family: Family): string | undefined {
  if (!isCanonicalAddress(address) || address.includes(':') !== (family === 6))
    return 'the router told no address';
  if (family === 6) return /^[23]/.test(address) ? undefined : `${address} is not global (RFC 4291 §2.5.4)`;
  const found = UNUSABLE.find(({ block }) => block.test(address));
  return found && `the router’s external address ${address} ${found.reason}`;
}
