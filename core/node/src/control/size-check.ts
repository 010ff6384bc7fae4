import { Transform, type TransformCallback } from 'node:stream';
import { AwlError } from '@awl/wire';
import { MAX_HEADER_BYTES } from './limits.ts';

const HEADER_END = Buffer.from('\r\n\r\n');

/**
 * Lets JSON-RPC frames (`Content-Length: N`, empty line, N bytes) through as long as header and content are within bounds, and fails at the
 * first that is not: vscode-jsonrpc itself would accept any length and wait for it in memory.
 */
export class SizeCheck extends Transform {
  readonly #maxContentBytes: number;
  #header: Buffer = Buffer.alloc(0);
  /** Bytes of the current content still to come. */
  #left = 0;

  constructor(maxContentBytes: number) {
    super();
    this.#maxContentBytes = maxContentBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#left > 0) {
        const part = rest.subarray(0, this.#left);
        this.#left -= part.length;
        rest = rest.subarray(part.length);
        this.push(part);
        continue;
      }
      const before = this.#header.length;
      this.#header = Buffer.concat([this.#header, rest.subarray(0, MAX_HEADER_BYTES)]);
      const end = this.#header.indexOf(HEADER_END);
      if (end < 0) {
        if (this.#header.length >= MAX_HEADER_BYTES) return done(malformed('a header is too long'));
        return done();
      }
      const length = contentLength(this.#header.toString('latin1', 0, end));
      if (length === undefined) return done(malformed('a header is not understood'));
      if (length > this.#maxContentBytes) {
        return done(new AwlError('ERR_WIRE_TOO_LARGE', `A message of ${length} bytes was announced.`));
      }
      this.push(this.#header.subarray(0, end + HEADER_END.length));
      rest = rest.subarray(end + HEADER_END.length - before);
      this.#header = Buffer.alloc(0);
      this.#left = length;
    }
    done();
  }
}

/** Only the one header that both sides send; more is refused. */
function contentLength(header: string): number | undefined {
  const digits = /^Content-Length: (\d{1,10})$/i.exec(header)?.[1];
  return digits === undefined || Number(digits) === 0 ? undefined : Number(digits);
}

function malformed(what: string): AwlError {
  return new AwlError('ERR_WIRE_MALFORMED', `On the control socket ${what}.`);
}
