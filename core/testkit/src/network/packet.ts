import type { AddressId } from './address.ts';

/** IP protocol numbers. */
export const ICMP = 1;
export const TCP = 6;
export const UDP = 17;
export type ProtocolNumber = typeof ICMP | typeof TCP | typeof UDP;

/** TCP flags, RFC 9293 §3.1. */
export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;

export const DEFAULT_TTL = 64;
const NOTHING = new Uint8Array(0);

/** A packet in flight. One shape for all protocols keeps the forwarding path monomorphic. Changed in place on its way. */
export class Packet {
  protocol: ProtocolNumber;
  source: AddressId;
  sourcePort: number;
  destination: AddressId;
  destinationPort: number;
  ttl = DEFAULT_TTL;
  payload: Uint8Array = NOTHING;
  /** TCP only, as are the next three. */
  flags = 0;
  sequence = 0;
  acknowledgement = 0;
  windowBytes = 0;
  /** ICMP errors: the head of the packet that met the error, as it was there. */
  quoted: Packet | null = null;

  constructor(
    protocol: ProtocolNumber,
    source: AddressId,
    sourcePort: number,
    destination: AddressId,
    destinationPort: number,
  ) {
    this.protocol = protocol;
    this.source = source;
    this.sourcePort = sourcePort;
    this.destination = destination;
    this.destinationPort = destinationPort;
  }
}

/** Bytes on the wire without the link's own: IPv4 header, transport header, payload. */
export function packetBytes(packet: Packet): number {
  return (packet.protocol === TCP ? 40 : 28) + packet.payload.length;
}

/** The RST that answers a segment nobody wants: RFC 9293 §3.10.7.1. */
export function resetFor(segment: Packet): Packet {
  const reset = new Packet(
    TCP,
    segment.destination,
    segment.destinationPort,
    segment.source,
    segment.sourcePort,
  );
  if (segment.flags & ACK) {
    reset.flags = RST;
    reset.sequence = segment.acknowledgement;
  } else {
    const length = segment.payload.length + (segment.flags & SYN ? 1 : 0) + (segment.flags & FIN ? 1 : 0);
    reset.flags = RST | ACK;
    reset.acknowledgement = segment.sequence + length;
  }
  return reset;
}

/** An ICMP destination unreachable (RFC 792) about `packet`, from `source`. */
export function unreachableFor(packet: Packet, source: AddressId): Packet {
  const error = new Packet(ICMP, source, 0, packet.source, 0);
  error.quoted = new Packet(
    packet.protocol,
    packet.source,
    packet.sourcePort,
    packet.destination,
    packet.destinationPort,
  );
  return error;
}
