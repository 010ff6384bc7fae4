import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const CHUNK_BYTES = 256 * 1024;

/** A service to share: it sends so many bytes to whoever connects. */
export interface Source extends AsyncDisposable {
  readonly port: number;
  /** SHA-256 of what it sends. */
  readonly checksum: string;
}

/** Made once: random enough that nothing on the way could shorten it. */
const chunk = randomBytes(CHUNK_BYTES);

export async function startSource(sizeBytes: number): Promise<Source> {
  const hash = createHash('sha256');
  for (const part of parts(sizeBytes)) hash.update(part);
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    pipeline(Readable.from(parts(sizeBytes)), socket).catch(() => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    checksum: hash.digest('hex'),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Reads all that a forward gives; resolves with its SHA-256. */
export async function download(
  port: number,
  signal: AbortSignal,
  onProgress: (receivedBytes: number) => void,
): Promise<{ readonly checksum: string; readonly receivedBytes: number; readonly ms: number }> {
  const startedAt = performance.now();
  const hash = createHash('sha256');
  let receivedBytes = 0;
  const socket = connect({ port, host: '127.0.0.1' });
  const onAbort = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const data of socket as AsyncIterable<Buffer>) {
      hash.update(data);
      receivedBytes += data.length;
      onProgress(receivedBytes);
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  return { checksum: hash.digest('hex'), receivedBytes, ms: performance.now() - startedAt };
}

function* parts(sizeBytes: number): Generator<Buffer> {
  for (let left = sizeBytes; left > 0; left -= CHUNK_BYTES)
    yield chunk.subarray(0, Math.min(left, CHUNK_BYTES));
}
