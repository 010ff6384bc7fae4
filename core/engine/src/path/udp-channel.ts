import type { DatagramChannel, Endpoint } from '@awl/api';
import type { Directed } from '../security/attempt-keys.ts';
import type { ManagedUdpLease } from '../socket/udp-lease.ts';

const TOKEN_BYTES = 8;
/** What every path is taken to carry (BASE_PLPMTU of RFC 8899 §5.1.2); path MTU discovery may raise it. */
export const FIRST_DATAGRAM_BYTES = 1200;

/** Two channels to one peer over one lease: the transport's, and one for unreliable datagrams. */
export interface UdpChannels {
  readonly transport: DatagramChannel;
  readonly datagrams: DatagramChannel;
  /** The largest UDP payload from now on. */
  resize(payloadBytes: number): void;
  /** Whether datagrams above the first size left since the last call. */
  sentLarge(): boolean;
}

/**
 * Puts channels on a lease. Each datagram begins with 8 bytes that only the two peers know, one value per channel and direction: what a
 * stranger sends dies here, before any protocol sees it.
 */
export function openUdpChannels(
  lease: ManagedUdpLease,
  remote: Endpoint,
  tokens: { readonly transport: Directed; readonly datagrams: Directed },
): UdpChannels {
  const transport = new TokenChannel(lease, remote, tokens.transport, TOKEN_BYTES);
  const datagrams = new TokenChannel(lease, remote, tokens.datagrams, 0);
  lease.onData = (payload) => void (transport.receive(payload) || datagrams.receive(payload));
  return {
    transport,
    datagrams,
    resize(payloadBytes) {
      transport.resize(payloadBytes);
      datagrams.resize(payloadBytes);
    },
    sentLarge() {
      const large = transport.sentLarge || datagrams.sentLarge;
      transport.sentLarge = datagrams.sentLarge = false;
      return large;
    },
  };
}

class TokenChannel implements DatagramChannel {
  /** The token's place, where the sender leaves it free: a transport does, since it copies anyway. */
  readonly headroomBytes: number;
  maxDatagramBytes = 0;
  /** A datagram above the first size has left. */
  sentLarge = false;
  onDatagram: ((datagram: Uint8Array, from?: number) => void) | null = null;
  readonly #lease: ManagedUdpLease;
  readonly #remote: Endpoint;
  readonly #token: Buffer;
  readonly #expected: Buffer;

  constructor(lease: ManagedUdpLease, remote: Endpoint, token: Directed, headroomBytes: number) {
    this.headroomBytes = headroomBytes;
    this.resize(FIRST_DATAGRAM_BYTES);
    this.#lease = lease;
    this.#remote = remote;
    this.#token = token.send;
    this.#expected = token.receive;
  }

  resize(payloadBytes: number): void {
    this.maxDatagramBytes = payloadBytes - (TOKEN_BYTES - this.headroomBytes);
  }

  send(datagram: Uint8Array): void {
    const before = TOKEN_BYTES - this.headroomBytes;
    let packet = datagram;
    if (before > 0) {
      packet = Buffer.allocUnsafe(before + datagram.length);
      packet.set(datagram, before);
    }
    packet.set(this.#token);
    if (packet.length > FIRST_DATAGRAM_BYTES) this.sentLarge = true;
    this.#lease.transmit(packet, this.#remote);
  }

  receive(payload: Uint8Array): boolean {
    if (payload.length <= TOKEN_BYTES) return false;
    const expected = this.#expected;
    for (let index = 0; index < TOKEN_BYTES; index++) if (payload[index] !== expected[index]) return false;
    this.onDatagram?.(this.headroomBytes === 0 ? payload.subarray(TOKEN_BYTES) : payload, this.headroomBytes);
    return true;
  }
}
