import { Duplex } from 'node:stream';

/** smux version 1: version, command, length (16 bits) and stream (32 bits), little-endian, then the payload. */
const HEADER_BYTES = 8;
const MAX_PAYLOAD_BYTES = 32_768;
const SYN = 0;
const FIN = 1;
const PSH = 2;
const NOP = 3;

/** One smux stream over a byte stream: as the client that opens it, or as the server that waits for it. */
export class SmuxStream extends Duplex {
  readonly #under: Duplex;
  #id: number | null;
  #buffered = Buffer.alloc(0);

  constructor(under: Duplex, role: 'client' | 'server') {
    super();
    this.#under = under;
    this.#id = role === 'client' ? 3 : null;
    if (role === 'client') under.write(frame(SYN, 3));
    under.on('data', (bytes: Buffer) => this.#onData(bytes));
    under.on('error', (error) => this.destroy(error));
  }

  #onData(bytes: Buffer): void {
    let rest = this.#buffered.length === 0 ? bytes : Buffer.concat([this.#buffered, bytes]);
    while (rest.length >= HEADER_BYTES) {
      const length = rest.readUInt16LE(2);
      if (rest.length < HEADER_BYTES + length) break;
      this.#onFrame(
        rest[0]!,
        rest[1]!,
        rest.readUInt32LE(4),
        rest.subarray(HEADER_BYTES, HEADER_BYTES + length),
      );
      rest = rest.subarray(HEADER_BYTES + length);
    }
    this.#buffered = Buffer.from(rest);
  }

  #onFrame(version: number, command: number, id: number, payload: Buffer): void {
    if (version !== 1) throw new Error(`smux version ${version}`);
    if (command === NOP) return;
    if (command === SYN && this.#id === null) {
      this.#id = id;
      this.emit('opened');
    }
    if (id !== this.#id) return;
    if (command === PSH && !this.push(payload)) this.#under.pause();
    if (command === FIN) this.push(null);
  }

  override _read(): void {
    this.#under.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#id === null) return void this.once('opened', () => this._write(chunk, encoding, callback));
    for (let at = 0; at < chunk.length; at += MAX_PAYLOAD_BYTES) {
      const part = chunk.subarray(at, at + MAX_PAYLOAD_BYTES);
      this.#under.write(frame(PSH, this.#id, part.length));
      this.#under.write(part);
    }
    if (this.#under.writableNeedDrain) this.#under.once('drain', () => callback());
    else callback();
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#under.write(frame(FIN, this.#id!), () => callback());
  }
}

function frame(command: number, id: number, length = 0): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = 1;
  header[1] = command;
  header.writeUInt16LE(length, 2);
  header.writeUInt32LE(id, 4);
  return header;
}
