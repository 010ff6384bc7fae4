/** The four times of an exchange (RFC 5905 §8): the first and last by the dialer's clock, the two between by the other's. Milliseconds. */
export interface ClockSample {
  readonly sentMs: number;
  readonly peerReceivedMs: number;
  readonly peerSentMs: number;
  readonly receivedMs: number;
}

/** How far the peer's clock is ahead of ours, and the round trip of the signalling without the peer's own time. */
export function clockOffset({ sentMs, peerReceivedMs, peerSentMs, receivedMs }: ClockSample): {
  readonly offsetMs: number;
  readonly rttMs: number;
} {
  return {
    offsetMs: (peerReceivedMs - sentMs + (peerSentMs - receivedMs)) / 2,
    rttMs: Math.max(0, receivedMs - sentMs - (peerSentMs - peerReceivedMs)),
  };
}
