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
  #onWritten: ((error?: Error | null) => void) | undefined;
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
    this.#send([chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (!this.#stream || this.#stream.gone) return callback();
    this.#onFinished = callback;
    this.#mux.end(this.#stream);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const code = error instanceof AwlError ? error.code : this.#resetCode;
    if (this.#stream) this.#mux.reset(this.#stream, code);
    const waiting = this.#onWritten ?? this.#onFinished;
    this.#onWritten = undefined;
    this.#onFinished = undefined;
    waiting?.(error ?? new AwlError('ERR_STREAM_RESET'));
    callback(error);
  }

  #send(chunks: Buffer[], callback: (error?: Error | null) => void): void {
    const filled = chunks.filter((chunk) => chunk.length > 0);
    if (!this.#stream || this.#stream.gone || filled.length === 0) return callback();
    this.#onWritten = callback;
    this.#mux.write(this.#stream, filled);
  }

  /** @internal */
  data(chunk: Buffer): boolean {
    return this.push(chunk);
  }

  /** @internal */
  written(): void {
    const callback = this.#onWritten;
    this.#onWritten = undefined;
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
