import type { XmlElement } from '@rgrove/parse-xml';
import { elementsNamed, parseDocument, textOf } from './xml.ts';

/** The services of a gateway that are of use here, and their versions. */
export type ServiceName = 'WANIPConnection' | 'WANPPPConnection' | 'WANIPv6FirewallControl';

export interface Service {
  readonly name: ServiceName;
  readonly version: number;
  readonly type: string;
  readonly controlUrl: URL;
}

export interface Description {
  /** What the device calls itself, cleaned of anything but plain text. */
  readonly name: string;
  readonly services: readonly Service[];
}

const SERVICE =
  /^urn:schemas-upnp-org:service:(WANIPConnection|WANPPPConnection|WANIPv6FirewallControl):([12])$/;
const SERVICES_MAX = 16;

/**
 * The useful services of a device description (UPnP Device Architecture 2.0, §2.3), whatever version of InternetGatewayDevice it announces.
 * Control URLs on another host than the description's own are left out. Undefined for what is no description.
 */
export function parseDescription(text: string, location: URL): Description | undefined {
  const root = parseDocument(text);
  if (!root) return undefined;
  const base = baseOf(root, location);
  const services = [...elementsNamed(root, 'service')]
    .slice(0, SERVICES_MAX)
    .flatMap((element) => serviceOf(element, base));
  const [device] = elementsNamed(root, 'device');
  return { name: cleanName((device && textOf(device, 'friendlyName')) ?? ''), services };
}

function serviceOf(element: XmlElement, base: URL): Service[] {
  const type = textOf(element, 'serviceType') ?? '';
  const [, name, version] = SERVICE.exec(type) ?? [];
  const controlUrl = URL.parse(textOf(element, 'controlURL') ?? '', base);
  if (!name || !controlUrl || controlUrl.hostname !== base.hostname || controlUrl.protocol !== 'http:')
    return [];
  return [{ name: name as ServiceName, version: Number(version), type, controlUrl }];
}

/** URLBase was in IGD:1 (UPnP Device Architecture 1.0, §2.1). */
function baseOf(root: XmlElement, location: URL): URL {
  const base = URL.parse(textOf(root, 'URLBase') ?? '');
  return base?.hostname === location.hostname ? base : location;
}

function cleanName(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '').slice(0, 64);
}
