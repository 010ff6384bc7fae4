import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export const MINIUPNPD = '/usr/sbin/miniupnpd';

/** The rules of a router whose links are `lan` and `wan`. The chains without a hook are the daemon's. */
export function routerRules(masquerade = 'masquerade', forward = ''): string {
  return `
table inet awl
delete table inet awl
table inet awl {
  chain input { type filter hook input priority filter; policy accept; iifname "wan" ct state new drop; }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ${forward}
    jump pinned
    ct state established,related accept
    iifname "lan" accept
  }
  chain pinned { }
  chain prerouting { type nat hook prerouting priority dstnat; jump mapped; }
  chain mapped { }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    jump reversed
    oifname "wan" meta nfproto ipv4 ${masquerade}
  }
  chain reversed { }
}`;
}

/** Maps ports of 1024 and above, for the machine that asks. */
export function daemonConfiguration(lan: string, leases: string): string {
  return `ext_ifname=wan
listening_ip=lan
http_port=5000
enable_upnp=yes
enable_natpmp=yes
min_lifetime=60
max_lifetime=86400
secure_mode=yes
uuid=0b6c1f3e-0000-4000-8000-0000000000aa
upnp_table_name=awl
upnp_nat_table_name=awl
upnp_forward_chain=pinned
upnp_nat_chain=mapped
upnp_nat_postrouting_chain=reversed
lease_file=${leases}
allow 1024-65535 ${lan}.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`;
}

/** Resolves when a daemon that was just started listens. */
export async function listening(daemon: ChildProcess): Promise<void> {
  for await (const line of createInterface({ input: daemon.stderr! }))
    if (line.includes('Listening for NAT-PMP')) break;
  daemon.stderr!.resume();
}
