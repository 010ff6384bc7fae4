import { createHmac } from 'node:crypto';
import type { Network } from '../socket/network.ts';

/** Fingerprints that one side tells at most. */
const FINGERPRINTS_MAX = 8;

/**
 * Fingerprints of the places this host is in: its gateways by MAC address, and the host itself. Keyed by both peers' ids and the attempt, so
 * that they mean nothing to anyone else, and not twice the same to the peer.
 */
export async function lanFingerprints(network: Network, key: string): Promise<string[]> {
  const [gateways, host] = await Promise.all([network.gateways().catch(() => []), network.hostId()]);
  const places = gateways
    .filter(({ mac }) => mac !== undefined)
    .map(({ address, mac }) => `gateway ${address} ${mac}`);
  if (host !== undefined) places.unshift(`host ${host}`);
  return places
    .slice(0, FINGERPRINTS_MAX)
    .map((place) => createHmac('sha256', key).update(place).digest('base64url').slice(0, 22));
}

/** The key of the fingerprints of one attempt. */
export function fingerprintKey(attemptId: string, offererId: string, answererId: string): string {
  return `awl lan v1 ${attemptId} ${offererId} ${answererId}`;
}

/** Whether both sides named one place. */
export function shareLan(a: readonly string[], b: readonly string[]): boolean {
  return a.some((fingerprint) => b.includes(fingerprint));
}
