import type { Protocol } from '@awl/api';
import { ipv4Text } from './address.ts';

/** RFC 6886 §3: every message of this version. */
const VERSION = 0;
const OPCODE = { external: 0, udp: 1, tcp: 2 } as const;
const RESPONSE_FLAG = 128;

/** RFC 6886 §3.5. */
export const UNSUPPORTED_VERSION = 1;
const RESULTS = [
  'success',
  'unsupported version',
  'not authorized: port mapping is turned off in the router',
  'network failure: the router has no external address',
  'out of resources',
  'unsupported opcode',
];

/** What every response begins with. */
interface Response {
  readonly result: number;
  /** Seconds since the router's table was empty (RFC 6886 §3.6). */
  readonly epochS: number;
}

export interface ExternalAddressResponse extends Response {
  readonly externalAddress: string;
}

export interface NatPmpMapResponse extends Response {
  readonly internalPort: number;
  readonly externalPort: number;
  readonly lifetimeS: number;
}

/** RFC 6886 §3.2. */
export function encodeExternalAddressRequest(): Uint8Array {
  return Uint8Array.of(VERSION, OPCODE.external);
}

/** RFC 6886 §3.3; a lifetime and external port of 0 destroy the mapping (§3.4). */
export function encodeNatPmpMapRequest(request: {
  readonly protocol: Protocol;
  readonly internalPort: number;
  readonly externalPort: number;
  readonly lifetimeS: number;
}): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = OPCODE[request.protocol];
  view.setUint16(4, request.internalPort);
  view.setUint16(6, request.externalPort);
  view.setUint32(8, request.lifetimeS);
  return bytes;
}

/** The answer to {@link encodeExternalAddressRequest}; undefined for any other bytes. */
export function decodeExternalAddressResponse(bytes: Uint8Array): ExternalAddressResponse | undefined {
  const head = decodeHead(bytes, OPCODE.external);
  if (!head || (head.result === 0 && bytes.length < 12)) return undefined;
  return { ...head, externalAddress: bytes.length < 12 ? '0.0.0.0' : ipv4Text(bytes.subarray(8)) };
}

/** The answer to {@link encodeNatPmpMapRequest}; undefined for any other bytes. */
export function decodeNatPmpMapResponse(
  bytes: Uint8Array,
  protocol: Protocol,
): NatPmpMapResponse | undefined {
  const head = decodeHead(bytes, OPCODE[protocol]);
  if (!head || bytes.length < 16) return undefined;
  const view = viewOf(bytes);
  return {
    ...head,
    internalPort: view.getUint16(8),
    externalPort: view.getUint16(10),
    lifetimeS: view.getUint32(12),
  };
}

/** What a result other than 0 means, for a person. */
export function natPmpResult(result: number): string {
  return RESULTS[result] ?? `result ${result}`;
}

function decodeHead(bytes: Uint8Array, opcode: number): Response | undefined {
  if (bytes.length < 8 || bytes[0] !== VERSION || bytes[1] !== RESPONSE_FLAG + opcode) return undefined;
  const view = viewOf(bytes);
  return { result: view.getUint16(2), epochS: view.getUint32(4) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
