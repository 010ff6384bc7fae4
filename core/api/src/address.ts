import type { JsonValue } from './json.ts';

/** IP version. */
export type Family = 4 | 6;

/** A transport address (RFC 8445): an IP address in canonical text and a port, 1–65535 (0 only where "any" is meant). */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The transport protocol under a candidate, lease or strategy. */
export type Protocol = 'udp' | 'tcp';

/** Candidate types: RFC 8445 §5.1.1, and `mapped` for one made by a port mapper, `predicted` for a guess. */
export type CandidateType = 'host' | 'server-reflexive' | 'mapped' | 'predicted' | 'relayed';

/** A place where a peer may be reached. */
export interface Candidate {
  readonly type: CandidateType;
  readonly protocol: Protocol;
  readonly endpoint: Endpoint;
  /** RFC 8445 §5.1.2, 0 to 2^31 - 1; greater is tried first. */
  readonly priority: number;
  /** The local endpoint the candidate was learned from, where its owner tells. */
  readonly base?: Endpoint;
  /** The lease (by its id) behind it, so that a strategy can tell its own candidates; meaningful at its owner only. */
  readonly leaseId?: string;
}

/** The family of an endpoint, told from its text. */
export function familyOf(endpoint: { readonly address: string }): Family {
  return endpoint.address.includes(':') ? 6 : 4;
}

/** `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** An endpoint out of an advert or message of the peer; undefined for anything else. Whether it may be sent to is the broker's to say. */
export function endpointFromJson(value: JsonValue | undefined): Endpoint | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { address, port } = value as { readonly [key: string]: JsonValue };
  if (typeof address !== 'string' || typeof port !== 'number') return undefined;
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? { address, port } : undefined;
}

/** Equal address text and port; both must be canonical. */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.address === b.address;
}
