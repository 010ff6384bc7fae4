import {
  endpointFromJson,
  familyOf,
  type Endpoint,
  type JsonValue,
  type Pair,
  type TransportBehaviour,
} from '@awl/api';

/** How hard it is to know from where a side's packets to a new destination will come. */
export type Hardness = 'one-port' | 'contiguous' | 'per-address' | 'random';

/** Strangers' packets get in through a mapping of this side. */
export function admitsStrangers(behaviour: TransportBehaviour): boolean {
  return behaviour.filtering === 'EIF' && keepsPort(behaviour);
}

/** The address that this side's packets come from is enough to be let in by it. */
export function admitsByAddress(behaviour: TransportBehaviour): boolean {
  return behaviour.filtering === 'ADF' && keepsPort(behaviour);
}

function keepsPort(behaviour: TransportBehaviour): boolean {
  return behaviour.natted === false || behaviour.mapping === 'EIM';
}

/** An unknown mapping counts as the commonest, endpoint-independent: it is tried, and little is lost. */
export function hardness(behaviour: TransportBehaviour): Hardness {
  if (keepsPort(behaviour) || behaviour.mapping === 'unknown') return 'one-port';
  if (behaviour.allocation === 'contiguous' && behaviour.step !== undefined) return 'contiguous';
  return behaviour.mapping === 'ADM' ? 'per-address' : 'random';
}

/** UDP is known not to pass on one of the sides. */
export function udpBlocked({ local, remote }: Pair): boolean {
  return local.udp.blocked === true || remote.udp.blocked === true;
}

/** Where the other side's packets come from: its address, as its own measurement or candidates tell it. */
export function remoteAddress({ remote, remoteCandidates }: Pair): string | undefined {
  const reflexive = remoteCandidates.find(
    ({ type, protocol, endpoint }) =>
      type === 'server-reflexive' && protocol === 'udp' && familyOf(endpoint) === 4,
  );
  return reflexive?.endpoint.address ?? remote.udp.external?.address;
}

/** The endpoint under a key of an advert; undefined for anything else. */
export function endpointOf(advert: JsonValue | undefined, key: string): Endpoint | undefined {
  if (typeof advert !== 'object' || advert === null || Array.isArray(advert)) return undefined;
  return endpointFromJson((advert as { readonly [key: string]: JsonValue })[key]);
}

/** An endpoint as an advert carries it. */
export function advertOf(endpoint: Endpoint): JsonValue {
  return { address: endpoint.address, port: endpoint.port };
}
