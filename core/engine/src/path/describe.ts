import type { Candidate, Endpoint, PathKind } from '@awl/api';
import { sameEndpoint } from '@awl/api';
import { isLocalAddress, isLoopback } from '../socket/destinations.ts';

/** What a session is told of a path. */
export interface PathDescription {
  readonly kind: PathKind;
  readonly strategy: string;
  readonly transport: string;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly rttMs: number;
}

/** Where a path runs, by the peer's address and what its candidates said of it. */
export function pathKind(remote: Endpoint, candidates: readonly Candidate[], sameLan: boolean): PathKind {
  const candidate = candidates.find(({ endpoint }) => sameEndpoint(endpoint, remote));
  if (candidate?.type === 'relayed') return 'relay';
  if (candidate?.type === 'mapped') return 'mapped';
  if (sameLan && candidate?.type === 'host') return 'lan';
  return isLocalAddress(remote.address) || isLoopback(remote.address) ? 'lan' : 'direct';
}
