/** Figures of a conversation since its start. */
export interface KcpStats {
  /** Smoothed round-trip time, ms; 0 before the first sample. */
  readonly rttMs: number;
  /** Retransmission time-out, ms. */
  readonly rtoMs: number;
  /** Retransmitted and needed ÷ sent, 0 to 1. */
  readonly lossRatio: number;
  /** PUSH segments sent, retransmissions included. */
  readonly sentSegments: number;
  /** PUSH segments sent again. */
  readonly retransmits: number;
  /** Of those, sent again because of a time-out. */
  readonly timeouts: number;
  /** Retransmissions that turned out to have been needless. */
  readonly spuriousRetransmits: number;
  /** PUSH segments that arrived more than once. */
  readonly duplicates: number;
  /** Payload bytes acknowledged by the peer. */
  readonly deliveredBytes: number;
  /** Payload bytes in flight. */
  readonly inFlightBytes: number;
  /** Payload bytes queued and not sent yet. */
  readonly sendQueueBytes: number;
  /** Payload bytes received and not read yet, out of order or not. */
  readonly receiveQueueBytes: number;
  /** Congestion window, bytes; Infinity without one. */
  readonly windowBytes: number;
  /** Pacing rate, bytes per ms; Infinity without pacing. */
  readonly pacingBytesPerMs: number;
  /** Windows of the two sides, segments. */
  readonly receiveWindow: number;
  readonly remoteWindow: number;
  /** Datagrams in and out. */
  readonly datagramsIn: number;
  readonly datagramsOut: number;
  /** Datagrams that were not KCP, of another conversation, or damaged. */
  readonly rejectedDatagrams: number;
}
