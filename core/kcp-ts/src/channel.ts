/**
 * Monotonic time and timers, handed in, so that everything above replays on a virtual clock. With Node's own:
 * `{ now: () => performance.now(), schedule: (ms, task) => { const t = setTimeout(task, ms); return { [Symbol.dispose]: () => clearTimeout(t) }; } }`
 */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back; may be fractional. */
  now(): number;
  /** Calls `task` once after `delayMs` milliseconds (0: soon, never synchronously); disposing cancels it. */
  schedule(delayMs: number, task: () => void): Disposable;
}

/** A datagram socket aimed at the peer. */
export interface KcpChannel {
  /** Largest datagram that is known to pass, bytes. May change: a stream looks at it before it cuts new segments. */
  readonly maxDatagramBytes: number;
  /**
   * Bytes at the start of each datagram that belong to the channel. What `send` gets begins with that many, for the channel to fill; they
   * count toward `maxDatagramBytes`. Default 0.
   */
  readonly headroomBytes?: number;
  /** Must have sent or copied the bytes when it returns; a datagram kept by reference may be lost or garbled. */
  send(datagram: Uint8Array): void;
  /**
   * Set by the stream. `from` is where KCP begins in the datagram, default 0, so that a channel need not cut its own header off. The
   * buffer is the stream's during the call only.
   */
  onDatagram: ((datagram: Uint8Array, from?: number) => void) | null;
  /** Called once, when the stream is destroyed. */
  close?(): void;
}
