import { Duplex } from 'node:stream';

/** What a stream needs of its connection. */
export interface StreamSource {
  /** Calls `taken` once the bytes fit the send window. */
  write(chunk: Uint8Array, taken: () => void): void;
  /** Sends a FIN after all that was written. */
  finish(): void;
  /** The reader wants more. */
  resume(): void;
  close(): void;
}

/** The byte stream of a simulated TCP connection. */
export class TcpDuplex extends Duplex {
  readonly #source: StreamSource;

  constructor(source: StreamSource) {
    super({ allowHalfOpen: true, autoDestroy: true });
    this.#source = source;
    // A connection that breaks before its owner listens must not end the process.
    this.on('error', () => {});
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.#source.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#source.finish();
    done();
  }

  override _read(): void {
    this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#source.close();
    done(error);
  }
}
