/** What a batch of acknowledgements says. One object is reused: copy what must be kept. Bytes are payload, times ms. */
export interface AckSample {
  /** Newly acknowledged in this batch. */
  ackedBytes: number;
  /** Found lost in this batch. */
  lostBytes: number;
  /** When the newest segment that was found lost had been sent. */
  lostSentAt: number;
  /** Of the newest segment acknowledged; 0: no sample. */
  rttMs: number;
  /** Least round trip of the last 10 s; Infinity: unknown. */
  minRttMs: number;
  /** When that was measured. */
  minRttAt: number;
  smoothedRttMs: number;
  /** Delivery rate that the newest acknowledged segment measured, bytes per ms; 0: no sample. */
  rateBytesPerMs: number;
  /** The rate was held down by the application, not by the path. */
  appLimited: boolean;
  /** Delivered in all when the newest acknowledged segment was sent. */
  priorDeliveredBytes: number;
  /** Delivered in all. */
  deliveredBytes: number;
  /** Still in flight. */
  inFlightBytes: number;
}

/** Decides how much may be in flight, and how fast it leaves. Pure: it sees only what it is told. */
export interface CongestionController {
  /** Payload bytes that may be in flight. */
  readonly windowBytes: number;
  /** Rate at which segments leave, bytes per ms; Infinity: no pacing. */
  readonly pacingBytesPerMs: number;
  /** The largest payload of a segment changed. */
  setMss(mssBytes: number): void;
  /** Once for each batch of acknowledgements or losses. */
  onAck(sample: AckSample, now: number): void;
  /** The path has been silent for `count` time-outs in a row. */
  onTimeout(count: number, now: number): void;
  /** The last loss was none: the segment had only been late. */
  onSpuriousLoss(now: number): void;
}
