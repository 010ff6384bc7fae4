import type { Endpoint, JsonValue, TransportBehaviour } from '@awl/api';

/** One external port serves for every destination, as far as is known. */
export function keepsOnePort(behaviour: TransportBehaviour): boolean {
  return behaviour.natted === false || behaviour.mapping === 'EIM' || behaviour.mapping === 'unknown';
}

/** An endpoint out of an advert; undefined for anything else. */
export function endpointOf(advert: JsonValue | undefined): Endpoint | undefined {
  if (typeof advert !== 'object' || advert === null || Array.isArray(advert)) return undefined;
  const { address, port } = advert as { readonly [key: string]: JsonValue };
  if (
    typeof address !== 'string' ||
    typeof port !== 'number' ||
    !Number.isInteger(port) ||
    port < 1 ||
    port > 65535
  )
    return undefined;
  return { address, port };
}
