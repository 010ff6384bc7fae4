import type { Protocol } from '@awl/api';
import { addressBytes, addressText } from './address.ts';

/** RFC 6887 §7. */
const VERSION = 2;
const RESPONSE_FLAG = 0x80;
const HEADER_BYTES = 24;
const MAP_BYTES = 36;
/** RFC 6887 §7: no PCP message is longer. */
const MESSAGE_MAX_BYTES = 1100;
/** RFC 6887 §11.1. */
export const NONCE_BYTES = 12;
const OPCODE = { announce: 0, map: 1 } as const;
/** IANA protocol numbers. */
const PROTOCOL_NUMBER = { udp: 17, tcp: 6 } as const;

/** RFC 6887 §7.4. */
const RESULTS = [
  'SUCCESS',
  'UNSUPP_VERSION',
  'NOT_AUTHORIZED: port mapping is turned off in the router',
  'MALFORMED_REQUEST',
  'UNSUPP_OPCODE',
  'UNSUPP_OPTION',
  'MALFORMED_OPTION',
  'NETWORK_FAILURE: the router has no external address',
  'NO_RESOURCES: the router has no free port, or no external address',
  'UNSUPP_PROTOCOL',
  'USER_EX_QUOTA: this host has all the mappings it may have',
  'CANNOT_PROVIDE_EXTERNAL',
  'ADDRESS_MISMATCH: there is a NAT between this host and the router',
  'EXCESSIVE_REMOTE_PEERS',
];
export const PCP_SUCCESS = 0;
const UNSUPPORTED_VERSION = 1;

export interface PcpMapRequest {
  readonly protocol: Protocol;
  readonly clientAddress: string;
  /** {@link NONCE_BYTES} bytes; whoever does not know them cannot change the mapping (RFC 6887 §11.2). */
  readonly nonce: Uint8Array;
  readonly internalPort: number;
  /** A wish; 0 for any. */
  readonly externalPort: number;
  /** A wish; the unspecified address of the family for any. */
  readonly externalAddress: string;
  /** 0 deletes. */
  readonly lifetimeS: number;
}

export interface PcpResponse {
  readonly result: number;
  /** Of the mapping; of an error, how long it will stay (RFC 6887 §7.2). */
  readonly lifetimeS: number;
  /** Seconds since the server's table was empty (RFC 6887 §8.5). */
  readonly epochS: number;
}

export interface PcpMapResponse extends PcpResponse {
  readonly externalPort: number;
  readonly externalAddress: string;
}

/** RFC 6887 §14.1: asks whether a server is there. */
export function encodeAnnounceRequest(clientAddress: string): Uint8Array {
  return header(new Uint8Array(HEADER_BYTES), OPCODE.announce, 0, clientAddress);
}

/** RFC 6887 §11.1. */
export function encodePcpMapRequest(request: PcpMapRequest): Uint8Array {
  const bytes = header(
    new Uint8Array(HEADER_BYTES + MAP_BYTES),
    OPCODE.map,
    request.lifetimeS,
    request.clientAddress,
  );
  const view = viewOf(bytes);
  bytes.set(request.nonce.subarray(0, NONCE_BYTES), 24);
  bytes[36] = PROTOCOL_NUMBER[request.protocol];
  view.setUint16(40, request.internalPort);
  view.setUint16(42, request.externalPort);
  bytes.set(addressBytes(request.externalAddress), 44);
  return bytes;
}

/** The answer to an ANNOUNCE, also that of a router which knows NAT-PMP alone (RFC 6886 §3.5); undefined for any other bytes. */
export function decodeAnnounceResponse(bytes: Uint8Array): PcpResponse | undefined {
  const natPmp = bytes.length >= 8 && bytes[0] === 0 && bytes[1]! >= RESPONSE_FLAG;
  if (natPmp) return { result: UNSUPPORTED_VERSION, lifetimeS: 0, epochS: viewOf(bytes).getUint32(4) };
  return decodeHeader(bytes, OPCODE.announce);
}

/** The answer to a MAP of this nonce, protocol and port; undefined for any other bytes. */
export function decodePcpMapResponse(bytes: Uint8Array, request: PcpMapRequest): PcpMapResponse | undefined {
  const head = decodeHeader(bytes, OPCODE.map);
  if (!head || bytes.length < HEADER_BYTES + MAP_BYTES) return undefined;
  const view = viewOf(bytes);
  const ours =
    request.nonce.every((byte, index) => bytes[24 + index] === byte) &&
    bytes[36] === PROTOCOL_NUMBER[request.protocol] &&
    view.getUint16(40) === request.internalPort;
  if (!ours) return undefined;
  return {
    ...head,
    externalPort: view.getUint16(42),
    externalAddress: addressText(bytes.subarray(44, 60)),
  };
}

/** What a result other than 0 means, for a person. */
export function pcpResult(result: number): string {
  return RESULTS[result] ?? `result ${result}`;
}

function header(bytes: Uint8Array, opcode: number, lifetimeS: number, clientAddress: string): Uint8Array {
  bytes[0] = VERSION;
  bytes[1] = opcode;
  viewOf(bytes).setUint32(4, lifetimeS);
  bytes.set(addressBytes(clientAddress), 8);
  return bytes;
}

function decodeHeader(bytes: Uint8Array, opcode: number): PcpResponse | undefined {
  const { length } = bytes;
  if (length < HEADER_BYTES || length > MESSAGE_MAX_BYTES || length % 4 !== 0) return undefined;
  if (bytes[0] !== VERSION || bytes[1] !== (RESPONSE_FLAG | opcode)) return undefined;
  const view = viewOf(bytes);
  return { result: bytes[3]!, lifetimeS: view.getUint32(4), epochS: view.getUint32(8) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
