/** What a plugin process may use, and for how long it may be silent. */
export interface ProcessLimits {
  /** From the fork to the end of `activate`. */
  readonly activationTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** No answer for so long: shown as unresponsive. */
  readonly unresponsiveMs: number;
  /** No answer for so long: ended. */
  readonly killMs: number;
  /** V8's old space, MiB. */
  readonly heapMiB: number;
  /** Resident memory, bytes; a heap cap misses Buffers. */
  readonly rssBytes: number;
  readonly rssIntervalMs: number;
  /** One message from the process, bytes. */
  readonly messageBytes: number;
  /** Messages and bytes from the process in one second. */
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  /** Sockets held at a time, over all attempts. */
  readonly leases: number;
}

/** A Node process alone is about 44 MiB resident. */
export const PROCESS_LIMITS: ProcessLimits = {
  activationTimeoutMs: 10_000,
  heartbeatIntervalMs: 1000,
  unresponsiveMs: 3000,
  killMs: 10_000,
  heapMiB: 96,
  rssBytes: 256 * 1024 * 1024,
  rssIntervalMs: 250,
  messageBytes: 1024 * 1024,
  messagesPerSecond: 5000,
  bytesPerSecond: 8 * 1024 * 1024,
  leases: 1024,
};
