import { isIP } from 'node:net';
import type { Gateway } from '@awl/api';
import { macAddress } from './mac-address.ts';

/** Default routes of macOS's `netstat -rn`: destination, gateway, flags, interface. `link#4` as gateway is an interface route. */
export function parseNetstat(output: string): Gateway[] {
  return output
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([destination, gateway, flags = '']) =>
        destination === 'default' && flags.startsWith('U') && flags.includes('G') && isAddress(gateway),
    )
    .map(([, gateway = '', , interfaceName = '']) => ({ address: gateway.split('%')[0]!, interfaceName }));
}

/** Entries of macOS's `arp -an`: `? (192.168.1.1) at 0:1c:42:0:0:18 on en0 …`; octets there have no leading zeros. */
export function parseArp(output: string): Map<string, string> {
  const macs = new Map<string, string>();
  for (const [, address, mac] of output.matchAll(/\(([0-9.]+)\) at ([0-9a-f:]+) on /gi)) {
    const canonical = macAddress(mac!);
    if (canonical) macs.set(address!, canonical);
  }
  return macs;
}

/** A VPN's next hop may be the bare prefix `fe80::%utun0`, which nobody answers at. */
function isAddress(text = ''): boolean {
  return isIP(text.split('%')[0]!) !== 0 && !/::(%|$)/.test(text);
}
