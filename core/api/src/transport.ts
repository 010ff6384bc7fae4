import type { Duplex } from 'node:stream';
import type { Clock, Random } from './clock.ts';
import type { Role } from './strategy.ts';

/** The winning UDP socket, aimed at the peer: what a transport sends and receives datagrams on. */
export interface DatagramChannel {
  /** Largest datagram that is known to pass, bytes, headroom included; grows when path MTU discovery finds more. */
  readonly maxDatagramBytes: number;
  /** Bytes at the start of each datagram that belong to the engine: what `send` gets begins with that many, for it to fill. */
  readonly headroomBytes: number;
  /** The bytes are sent or copied when it returns. */
  send(datagram: Uint8Array): void;
  /** The transport’s own bytes begin at `from`, default 0; the buffer is the callee's during the call only. */
  onDatagram: ((datagram: Uint8Array, from?: number) => void) | null;
}

/** Figures of a transport for the UI. */
export interface TransportStats {
  readonly rttMs?: number;
  /** 0 to 1, over the last seconds. */
  readonly lossRatio?: number;
  readonly retransmits?: number;
}

/** A reliable ordered byte stream over a path. */
export interface TransportConnection extends Disposable {
  readonly duplex: Duplex;
  stats(): TransportStats;
}

/** Makes a reliable stream of a punched socket. In-process only. */
export interface Transport {
  readonly id: string;
  attach(
    channel: DatagramChannel,
    context: { readonly role: Role; readonly clock: Clock; readonly random: Random },
  ): TransportConnection;
}
