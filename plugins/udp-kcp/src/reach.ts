import type { Endpoint, JsonValue, TransportBehaviour } from '@awl/api';

/** Strangers' packets get in through a mapping of this side. */
export function admitsStrangers(behaviour: TransportBehaviour): boolean {
  return behaviour.filtering === 'EIF' && (behaviour.natted === false || behaviour.mapping === 'EIM');
}

/** The address that this side's packets come from is enough to be let in by it. */
export function admitsByAddress(behaviour: TransportBehaviour): boolean {
  return behaviour.filtering === 'ADF' && (behaviour.natted === false || behaviour.mapping === 'EIM');
}

/** One external port serves for every destination, as far as is known. */
export function hasOnePort(behaviour: TransportBehaviour): boolean {
  return behaviour.natted === false || behaviour.mapping === 'EIM' || behaviour.mapping === 'unknown';
}

/** An endpoint out of an advert; undefined for anything else. */
export function endpointOf(advert: JsonValue | undefined, key: string): Endpoint | undefined {
  if (typeof advert !== 'object' || advert === null || Array.isArray(advert)) return undefined;
  const value = (advert as { readonly [key: string]: JsonValue })[key];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { address, port } = value as { readonly [key: string]: JsonValue };
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

/** An endpoint as an advert carries it. */
export function advertOf(endpoint: Endpoint): JsonValue {
  return { address: endpoint.address, port: endpoint.port };
}
