import type { DatagramWriter } from './datagram-writer.ts';
import type { SendRing } from './send-ring.ts';

/** What a sender counts. */
export class SenderCounters {
  /** PUSH segments sent, retransmissions included. */
  sentSegments = 0;
  /** PUSH segments sent again. */
  retransmits = 0;
  /** Of those, sent again because of a time-out. */
  timeouts = 0;
  /** Retransmissions that turned out to have been needless. */
  spuriousRetransmits = 0;
  /** Payload bytes acknowledged. */
  deliveredBytes = 0;
}

/** What a sender knows of the path at this moment. */
export interface SenderGauges {
  /** Smoothed round-trip time, ms; 0 before the first sample. */
  readonly rttMs: number;
  /** Retransmission time-out, ms. */
  readonly rtoMs: number;
  /** Payload bytes in flight. */
  readonly inFlightBytes: number;
  /** Congestion window, bytes; Infinity without one. */
  readonly windowBytes: number;
  /** Pacing rate, bytes per ms; Infinity without pacing. */
  readonly pacingBytesPerMs: number;
}

/** The sending half: what is retransmitted when, and how much may be in flight. `now` is in ms and may have fractions. */
export interface Sender {
  readonly ring: SendRing;
  readonly counters: SenderCounters;
  readonly gauges: SenderGauges;
  /** The link is dead: a segment was sent too often. */
  readonly dead: boolean;
  /** Segments in flight at most. */
  sendWindow: number;
  /** More will be queued as soon as there is room. */
  backlogged: boolean;
  /** Pacing rate, bytes per ms; Infinity without pacing. */
  readonly pacingBytesPerMs: number;
  setMtu(mtuBytes: number): void;
  /** The peer's window, segments. */
  remoteWindow: number;
  /** A datagram is about to be read; without `onInputEnd` it was damaged. */
  onInputStart(): void;
  /** Everything before `una` arrived. */
  onUna(una: number, now: number): void;
  /** The transmission of `sn` stamped `ts` arrived. */
  onAck(sn: number, ts: number, now: number): void;
  /** A whole datagram was read. */
  onInputEnd(now: number): void;
  /** Sends what may go now. `wnd` and `una` are what our own segments tell the peer. */
  flush(writer: DatagramWriter, wnd: number, una: number, now: number): void;
  /** Payload bytes that could go out at once if they were queued now. */
  roomBytes(now: number): number;
  /** When `flush` must be called next if nothing happens before; Infinity: never. */
  deadline(now: number): number;
}
