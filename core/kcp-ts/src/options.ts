import type { Output } from './datagram-writer.ts';

/** Settings of the C original's retransmission; the defaults are its own. */
export interface ClassicOptions {
  /** 0: off, 1: the minimum RTO is 30 ms instead of 100 and time-outs grow by half, 2: by half of the current RTO. */
  readonly noDelay?: 0 | 1 | 2;
  /** Time between flushes, ms, 10 to 5000. Default 100. */
  readonly intervalMs?: number;
  /** Later segments acknowledged before one is sent again at once. Default 0: off. */
  readonly fastResend?: number;
  /** Fast retransmissions of one segment at most. Default 5; 0: no limit. */
  readonly fastResendLimit?: number;
  /** The original's congestion window; false is its `nc=1`. Default true. */
  readonly congestionWindow?: boolean;
  /** Transmissions of one segment after which the link counts as dead. Default 20. */
  readonly deadLinkTransmissions?: number;
}

/** Settings of a conversation. */
export interface KcpOptions {
  /** Conversation number, 32 bits; both sides use the same. */
  readonly conv: number;
  /** Where datagrams go. */
  readonly output: Output;
  /** Largest datagram, bytes, headroom apart. Default 1400. */
  readonly mtuBytes?: number;
  /** Bytes left free before each datagram, for the caller's own header. Default 0. */
  readonly headroomBytes?: number;
  /** A stream of bytes instead of messages. Default false. */
  readonly stream?: boolean;
  /** Segments in flight at most. Default 32 with `classic`, else 65535. */
  readonly sendWindow?: number;
  /** Segments held for the reader at most, at least 128. Default 128 with `classic`, else what `receiveLimitBytes` holds. */
  readonly receiveWindow?: number;
  /** Bytes held for the reader at most, in order or not. Default 64 MiB with `classic`, else 16 MiB. */
  readonly receiveLimitBytes?: number;
  /** First sequence number of both sides, for tests of the wrap-around. Default 0. */
  readonly firstSn?: number;
  /** Behave exactly as the C original does with these settings. Without it, retransmission, congestion control and pacing are adaptive. */
  readonly classic?: ClassicOptions;
  /** Congestion control when not `classic`. Default `bbr`. */
  readonly congestion?: CongestionChoice;
  /** Randomness for `bbr`, so that flows do not probe in step. Default none: always the same. */
  readonly random?: { next(): number };
}

/**
 * `bbr`: models the path, tolerates random loss, keeps queues short; `cubic`: as most TCP does; `none`: only the windows of both sides
 * limit what is in flight (the original's `nc=1`), without pacing.
 */
export type CongestionChoice = 'bbr' | 'cubic' | 'none';
