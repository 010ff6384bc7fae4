import type { TransportBehaviour } from '@awl/api';

/** One external port serves for every destination, as far as is known. */
export function keepsOnePort(behaviour: TransportBehaviour): boolean {
  return behaviour.natted === false || behaviour.mapping === 'EIM' || behaviour.mapping === 'unknown';
}
