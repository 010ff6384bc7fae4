import { Duplex } from 'node:stream';
import { AwlError, isErrorCode, type ErrorCode } from '@awl/wire';
import type { Mux } from './mux.ts';
import type { MuxStream, StreamSink } from './mux-stream.ts';

/** What was written waits here until a path takes it. */
const WRITE_BUFFER_BYTES = 65_536;

/**
 * A byte stream of a session: a Duplex with half-close and backpressure. It does not notice when the session changes its path. Errors carry
 * a code: `ERR_STREAM_RESET` (or what the peer gave), `ERR_SESSION_LOST`, `ERR_SESSION_CLOSED`, `ERR_STREAM_LIMIT`. They never crash the
 * node: a stream without an error listener just closes.
 */
export class SessionStream extends Duplex implements StreamSink {
  readonly #mux: Mux;
  readonly #stream: MuxStream | undefined;
  #resetCode: ErrorCode = 'ERR_STREAM_RESET';
  #onWritable: ((error?: Error | null) => void) | undefined;
  #onFinished: ((error?: Error | null) => void) | undefined;

  /** @internal */
  constructor(mux: Mux, stream: MuxStream | undefined) {
    // One chunk in the stream itself: what waits belongs into the mux, where it is counted.
    super({ allowHalfOpen: true, readableHighWaterMark: 1, writableHighWaterMark: WRITE_BUFFER_BYTES });
    this.#mux = mux;
    this.#stream = stream;
    if (stream) stream.sink = this;
    this.on('error', () => {});
  }

  /** Number of the stream in its session; −1 for one that never opened. */
  get id(): number {
    return this.#stream?.id ?? -1;
  }

  /** Ends both directions at once; the peer's end fails with this code. */
  reset(code: ErrorCode = 'ERR_STREAM_RESET'): void {
    this.#resetCode = code;
    this.destroy();
  }

  override _read(): void {
    if (this.#stream) this.#mux.resume(this.#stream);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (!this.#stream || this.#mux.write(this.#stream, chunk)) return callback();
    this.#onWritable = callback;
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    let room = true;
    if (this.#stream) for (const { chunk } of chunks) room = this.#mux.write(this.#stream, chunk);
    if (room) callback();
    else this.#onWritable = callback;
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (!this.#stream || this.#stream.gone) return callback();
    this.#onFinished = callback;
    this.#mux.end(this.#stream);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const code = error instanceof AwlError ? error.code : this.#resetCode;
    if (this.#stream) this.#mux.reset(this.#stream, code);
    const waiting = this.#onWritable ?? this.#onFinished;
    this.#onWritable = undefined;
    this.#onFinished = undefined;
    waiting?.(error ?? new AwlError('ERR_STREAM_RESET'));
    callback(error);
  }

  /** @internal */
  data(chunk: Buffer): boolean {
    return this.push(chunk);
  }

  /** @internal */
  roomy(): void {
    const callback = this.#onWritable;
    this.#onWritable = undefined;
    callback?.();
  }

  /** @internal */
  finished(): void {
    const callback = this.#onFinished;
    this.#onFinished = undefined;
    callback?.();
  }

  /** @internal */
  fin(): void {
    this.push(null);
  }

  /** @internal */
  ended(code: string): void {
    // What came whole can be read to its end even after the session is over.
    if (this.#stream?.finReceived && this.writableFinished) return;
    this.destroy(new AwlError(isErrorCode(code) ? code : 'ERR_STREAM_RESET'));
  }
}
