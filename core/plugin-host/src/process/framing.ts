import type { Duplex } from 'node:stream';
import type { Clock } from '@awl/api';
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  type DataCallback,
  type Message,
  type MessageReader,
  type MessageWriter,
} from 'vscode-jsonrpc/node';

/*
 * Messages between node and plugin process: u32 length (big endian) + JSON over a pipe of their own. Node's IPC channel would do the
 * same, but reads a line of any length into memory before anybody can refuse it, and never makes the writer wait.
 */

const HEADER_BYTES = 4;

/** What the reader lets through; one who sends more breaks the protocol. */
export interface FrameLimits {
  readonly messageBytes: number;
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

function isMessage(value: unknown): value is Message {
  return (
    typeof value === 'object' && value !== null && (value as { readonly jsonrpc?: unknown }).jsonrpc === '2.0'
  );
}

/** Reads frames; after the first violation nothing more. */
export class FrameReader extends AbstractMessageReader implements MessageReader {
  readonly #stream: Duplex;
  readonly #limits: FrameLimits;
  readonly #clock: Clock;
  readonly #violation: (reason: string) => void;
  #callback: DataCallback | undefined;
  #buffer: Buffer = Buffer.alloc(0);
  #windowStartMs = -Infinity;
  #messages = 0;
  #bytes = 0;

  constructor(stream: Duplex, limits: FrameLimits, clock: Clock, violation: (reason: string) => void) {
    super();
    this.#stream = stream;
    this.#limits = limits;
    this.#clock = clock;
    this.#violation = violation;
  }

  override listen(callback: DataCallback): Disposable & { dispose(): void } {
    this.#callback = callback;
    this.#stream.on('data', this.#onData);
    this.#stream.on('close', () => this.fireClose());
    const dispose = (): void => {
      this.#callback = undefined;
      this.#stream.off('data', this.#onData);
    };
    return { dispose, [Symbol.dispose]: dispose };
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.#callback || !this.#withinRate(chunk.length)) return;
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    while (this.#listening() && this.#buffer.length >= HEADER_BYTES) {
      const length = this.#buffer.readUInt32BE(0);
      if (length > this.#limits.messageBytes) {
        return this.#refuse(`a message of ${length} bytes; the limit is ${this.#limits.messageBytes}`);
      }
      if (this.#buffer.length < HEADER_BYTES + length) return;
      const body = this.#buffer.toString('utf8', HEADER_BYTES, HEADER_BYTES + length);
      this.#buffer = this.#buffer.subarray(HEADER_BYTES + length);
      this.#messages += 1;
      if (this.#messages > this.#limits.messagesPerSecond) {
        return this.#refuse(`more than ${this.#limits.messagesPerSecond} messages in a second`);
      }
      this.#deliver(body);
    }
  };

  #listening(): boolean {
    return this.#callback !== undefined;
  }

  #deliver(body: string): void {
    let message: unknown;
    try {
      message = JSON.parse(body);
    } catch {
      return this.#refuse('something that is not JSON');
    }
    if (!isMessage(message)) return this.#refuse('something that is not JSON-RPC');
    this.#callback?.(message);
  }

  #withinRate(bytes: number): boolean {
    const now = this.#clock.now();
    if (now - this.#windowStartMs >= 1000) {
      this.#windowStartMs = now;
      this.#messages = 0;
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    if (this.#bytes <= this.#limits.bytesPerSecond) return true;
    this.#refuse(`more than ${this.#limits.bytesPerSecond} bytes in a second`);
    return false;
  }

  #refuse(reason: string): void {
    this.#callback = undefined;
    this.#buffer = Buffer.alloc(0);
    this.#violation(reason);
  }
}

/** Writes frames. */
export class FrameWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #stream: Duplex;
  readonly #messageBytes: number;

  constructor(stream: Duplex, messageBytes: number) {
    super();
    this.#stream = stream;
    this.#messageBytes = messageBytes;
  }

  write(message: Message): Promise<void> {
    const body = Buffer.from(JSON.stringify(message));
    if (body.length > this.#messageBytes) {
      return Promise.reject(
        new RangeError(`a message of ${body.length} bytes; the limit is ${this.#messageBytes}`),
      );
    }
    if (!this.#stream.writable) return Promise.reject(new Error('the pipe is closed'));
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    header.writeUInt32BE(body.length);
    this.#stream.write(Buffer.concat([header, body]));
    return Promise.resolve();
  }

  end(): void {
    this.#stream.end();
  }
}
