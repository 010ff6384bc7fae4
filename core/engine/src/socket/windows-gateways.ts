import type { Gateway } from '@awl/api';
import { macAddress } from './mac-address.ts';

/** Asks for default routes and neighbours in one start of PowerShell, as JSON, whatever the system's language. */
export const WINDOWS_SCRIPT = `
$routes = @(Get-NetRoute -DestinationPrefix '0.0.0.0/0','::/0' -ErrorAction SilentlyContinue |
  Select-Object NextHop,InterfaceAlias,@{n='Metric';e={$_.RouteMetric + $_.InterfaceMetric}})
$neighbours = @(Get-NetNeighbor -ErrorAction SilentlyContinue | Where-Object LinkLayerAddress |
  Select-Object IPAddress,LinkLayerAddress,InterfaceAlias)
@{routes=$routes; neighbours=$neighbours} | ConvertTo-Json -Compress -Depth 3`;

const ENTRIES_MAX = 1024;

/** Gateways of what {@link WINDOWS_SCRIPT} prints, the preferred first; none where it is not understood. */
export function parseWindows(output: string): Gateway[] {
  const document = parsed(output);
  const neighbours = entries(document, 'neighbours');
  return entries(document, 'routes')
    .filter(({ NextHop: hop }) => !['', '0.0.0.0', '::'].includes(text(hop)))
    .sort((a, b) => metric(a) - metric(b))
    .map(({ NextHop: hop, InterfaceAlias: alias }) => {
      const entry = neighbours.find((each) => each.IPAddress === hop && each.InterfaceAlias === alias);
      const mac = macAddress(text(entry?.LinkLayerAddress));
      return {
        address: text(hop).split('%')[0]!,
        interfaceName: text(alias),
        ...(mac !== undefined && { mac }),
      };
    });
}

type Entry = { readonly [key: string]: unknown };

function parsed(output: string): Entry {
  try {
    const document: unknown = JSON.parse(output.replace(/^\uFEFF/, ''));
    return isEntry(document) ? document : {};
  } catch {
    return {};
  }
}

function entries(document: Entry, key: string): Entry[] {
  const list = document[key];
  return Array.isArray(list) ? list.slice(0, ENTRIES_MAX).filter(isEntry) : [];
}

function isEntry(value: unknown): value is Entry {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function metric({ Metric: value }: Entry): number {
  return typeof value === 'number' ? value : Infinity;
}
