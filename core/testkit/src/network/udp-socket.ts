import type { Endpoint } from '@awl/api';
import type { UdpSocket } from '@awl/engine';
import { isMulticast } from './address.ts';
import { DEFAULT_TTL } from './packet.ts';

/** What a UDP socket needs of its host. */
export interface DatagramStack {
  sendDatagram(socket: SimulatedUdpSocket, payload: Uint8Array, to: Endpoint, ttl: number): void;
  release(socket: SimulatedUdpSocket): void;
}

/** A UDP socket of a simulated host. */
export class SimulatedUdpSocket implements UdpSocket {
  readonly local: Endpoint;
  readonly multicastGroup: string | undefined;
  onMessage: ((payload: Uint8Array, from: Endpoint) => void) | null = null;
  readonly #stack: DatagramStack;
  #open = true;

  constructor(stack: DatagramStack, local: Endpoint, multicastGroup: string | undefined) {
    this.#stack = stack;
    this.local = local;
    this.multicastGroup = multicastGroup;
  }

  send(payload: Uint8Array, to: Endpoint, ttl?: number): void {
    if (!this.#open) return;
    this.#stack.sendDatagram(this, payload.slice(), to, ttl ?? (isMulticast(to.address) ? 1 : DEFAULT_TTL));
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.onMessage = null;
    this.#stack.release(this);
  }
}
