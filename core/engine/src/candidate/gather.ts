import {
  familyOf,
  sameEndpoint,
  type BehaviourVector,
  type Candidate,
  type CandidateType,
  type Endpoint,
  type HostInterface,
  type Lease,
} from '@awl/api';
import { CANDIDATES_MAX } from '../signal/messages.ts';

/** RFC 8445 §5.1.2.2 recommends 126, 110, 100, 0; a mapped one works for any peer, so it stands above a reflexive one. */
const TYPE_PREFERENCE: Record<CandidateType, number> = {
  host: 126,
  mapped: 112,
  'server-reflexive': 100,
  predicted: 90,
  relayed: 0,
};
const KIND_PREFERENCE: Record<HostInterface['kind'], number> = {
  link: 65_535,
  vpn: 40_000,
  virtual: 20_000,
  loopback: 10_000,
};

/** RFC 8445 §5.1.2.1, for one component. */
function priority(type: CandidateType, localPreference: number): number {
  return TYPE_PREFERENCE[type] * 2 ** 24 + localPreference * 2 ** 8 + 255;
}

/** A socket whose candidates are told, and where the rendezvous sees it if that is known. */
export interface GatheredLease {
  readonly lease: Lease;
  readonly reflexive?: Endpoint;
  /** A port of the router that leads to it. */
  readonly mapped?: Endpoint;
}

/** The candidates of these sockets, best first, at most 32. */
export function gatherCandidates(parts: {
  readonly leases: readonly GatheredLease[];
  readonly interfaces: readonly HostInterface[];
  readonly behaviour: BehaviourVector;
}): Candidate[] {
  const found: Candidate[] = [];
  const add = (candidate: Candidate): void => {
    if (
      !found.some(
        (other) => other.protocol === candidate.protocol && sameEndpoint(other.endpoint, candidate.endpoint),
      )
    )
      found.push(candidate);
  };
  for (const { lease, reflexive, mapped } of parts.leases) {
    const { protocol, id: leaseId } = lease;
    // Where a NAT preserves ports, a reflexive one is at the same place: what counts there is that anybody gets in.
    if (mapped)
      add({
        type: 'mapped',
        protocol,
        endpoint: mapped,
        priority: priority('mapped', 65_535),
        base: lease.local,
        leaseId,
      });
    for (const { address, family, kind } of parts.interfaces) {
      if (family !== familyOf(lease.local) || address.startsWith('fe80:')) continue;
      add({
        type: 'host',
        protocol,
        endpoint: { address, port: lease.local.port },
        priority: priority('host', KIND_PREFERENCE[kind]),
        leaseId,
      });
    }
    const seen = reflexive ?? unnatted(parts.behaviour[protocol].external, lease.local.port);
    if (seen)
      add({
        type: 'server-reflexive',
        protocol,
        endpoint: seen,
        priority: priority('server-reflexive', 65_535),
        base: lease.local,
        leaseId,
      });
  }
  return found.sort((a, b) => b.priority - a.priority).slice(0, CANDIDATES_MAX);
}

/** The external address alone tells the peer which address our packets will come from; the port is then a guess. */
function unnatted(external: BehaviourVector['udp']['external'], port: number): Endpoint | undefined {
  return external && { address: external.address, port };
}
