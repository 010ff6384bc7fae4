import { readFile, readlink } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import type { Gateway, HostInterface } from '@awl/api';

/** This host's addresses. A container bridge or VPN is told from a real link by its usual names: a guess, used for order only. */
export function hostInterfaces(): HostInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map((address) => ({
      name,
      address: address.address,
      family: address.family === 'IPv6' ? (6 as const) : (4 as const),
      prefixLength: Number(address.cidr?.split('/')[1] ?? (address.family === 'IPv6' ? 128 : 32)),
      internal: address.internal,
      kind: interfaceKind(name, address.internal),
    })),
  );
}

function interfaceKind(name: string, internal: boolean): HostInterface['kind'] {
  if (internal) return 'loopback';
  if (/^(docker|br-|veth[0-9a-f]{4,}|virbr|cni|flannel|podman|lxc|vmnet|vboxnet)/i.test(name))
    return 'virtual';
  return /^(tun|tap|wg|utun|tailscale|zt|ppp)/i.test(name) ? 'vpn' : 'link';
}

/** The default gateways of a Linux host, with their MAC addresses where the neighbour table has them. */
export async function linuxGateways(): Promise<Gateway[]> {
  const [routes, neighbours] = await Promise.all([read('/proc/net/route'), read('/proc/net/arp')]);
  const macs = parseNeighbours(neighbours);
  return parseRoutes(routes).map((gateway) => {
    const mac = macs.get(gateway.address);
    return mac ? { ...gateway, mac } : gateway;
  });
}

/** Linux: the boot and the network namespace, since containers of one machine are hosts of their own. */
export async function linuxHostId(): Promise<string | undefined> {
  const [boot, namespace] = await Promise.all([
    read('/proc/sys/kernel/random/boot_id'),
    readlink('/proc/self/ns/net').catch(() => ''),
  ]);
  return boot && namespace ? `${boot.trim()} ${namespace}` : undefined;
}

/** Linux: the MTU of an interface. Names come from the system, which lets no path into them. */
export async function linuxMtuBytes(interfaceName: string): Promise<number | undefined> {
  const bytes = Number(await read(`/sys/class/net/${interfaceName}/mtu`));
  return Number.isInteger(bytes) && bytes > 0 ? bytes : undefined;
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}

/** Default routes of /proc/net/route: addresses there are little-endian hexadecimal. */
export function parseRoutes(table: string): Gateway[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, destination, gateway, flags]) =>
        destination === '00000000' && gateway !== '00000000' && (parseInt(flags ?? '0', 16) & 2) !== 0,
    )
    .map(([interfaceName = '', , gateway = '']) => ({
      interfaceName,
      address: [6, 4, 2, 0].map((at) => parseInt(gateway.slice(at, at + 2), 16)).join('.'),
    }));
}

/** Complete entries of /proc/net/arp: address → MAC. */
export function parseNeighbours(table: string): Map<string, string> {
  const entries = table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  return new Map(
    entries
      .filter(([, , flags, mac]) => flags !== '0x0' && mac !== undefined && mac !== '00:00:00:00:00:00')
      .map(([address = '', , , mac = '']) => [address, mac.toLowerCase()]),
  );
}
