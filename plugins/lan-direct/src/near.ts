import type { Assessment, Candidate, Endpoint, JsonValue, Pair, Protocol } from '@awl/api';

/** Host candidates tried at most; they come best first. */
const TRIED = 8;

/** Both strategies of this plugin expect the same of a pair: all or nothing. */
export function assessLan({ sameLan }: Pair): Assessment {
  return sameLan
    ? { likelihood: 0.97, expectedMs: 15, probes: 40, reason: 'both are behind one gateway, or on one host' }
    : { likelihood: 0, reason: 'other gateway' };
}

/** Where the peer's socket may be on this LAN: each of its host addresses with the advertised port. */
export function lanEndpoints(
  candidates: readonly Candidate[],
  protocol: Protocol,
  advert: JsonValue | undefined,
): Endpoint[] {
  if (typeof advert !== 'number' || !Number.isInteger(advert) || advert < 1 || advert > 65535) return [];
  const addresses = candidates
    .filter((candidate) => candidate.type === 'host' && candidate.protocol === protocol)
    .map(({ endpoint }) => endpoint.address);
  return [...new Set(addresses)].slice(0, TRIED).map((address) => ({ address, port: advert }));
}
