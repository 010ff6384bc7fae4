/** Bounds of a session. Whatever the peer does, memory stays under what these say. */
export interface SessionLimits {
  /** Open streams at most, for each of the two openers. */
  readonly streams: number;
  /** What a stream's receive window may grow to. 16 MiB carry 1.3 Gbit/s at 100 ms. */
  readonly streamWindowBytes: number;
  /** Growth beyond the first window, over all streams. */
  readonly windowGrowthBytes: number;
  /** Received bytes that nobody has read yet, over all streams. */
  readonly sessionWindowBytes: number;
  /** Sent bytes that the peer has not confirmed, kept for another path. */
  readonly unackedBytes: number;
  /** Datagrams that wait to go over the stream, for want of an unreliable channel. */
  readonly datagramQueueBytes: number;
  /** A path without progress for this long, while data are outstanding, is lost. */
  readonly stallMs: number;
  /** A session without a path for this long is lost. */
  readonly lostMs: number;
  /** An idle path is pinged this often: keeps NAT mappings, and finds dead ones. */
  readonly keepAliveMs: number;
  /** TLS and the exchange after it must be done by then. */
  readonly handshakeMs: number;
  /** Paths that are attached and not selected, at most. */
  readonly preparedPaths: number;
  /** After so many bytes one way under one TLS key a new path is due (RFC 8446 §5.5 allows 2^24.5 full records). */
  readonly rekeyBytes: number;
  /** After this long likewise. */
  readonly rekeyMs: number;
}

const MIB = 1024 * 1024;

export const SESSION_LIMITS: SessionLimits = {
  streams: 1024,
  streamWindowBytes: 16 * MIB,
  windowGrowthBytes: 32 * MIB,
  sessionWindowBytes: 64 * MIB,
  unackedBytes: 16 * MIB,
  datagramQueueBytes: 256 * 1024,
  stallMs: 5000,
  lostMs: 120_000,
  keepAliveMs: 15_000,
  handshakeMs: 10_000,
  preparedPaths: 4,
  rekeyBytes: 64 * 1024 * MIB,
  rekeyMs: 24 * 3600 * 1000,
};
