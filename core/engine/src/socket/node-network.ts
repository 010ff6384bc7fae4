import { createSocket, type Socket as DgramSocket } from 'node:dgram';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '@awl/api';
import { AwlError } from '@awl/wire';
import { hostGateways } from './gateways.ts';
import { hostInterfaces, linuxHostId, linuxMtuBytes } from './host.ts';
import {
  DialError,
  type BindOptions,
  type Network,
  type TcpPort,
  type TcpStream,
  type UdpSocket,
} from './network.ts';

/** Room in the kernel for a burst, bytes; the kernel may grant less. */
const SOCKET_BUFFER_BYTES = 4 << 20;
const DEFAULT_TTL = 64;

/** The operating system's sockets. */
export const nodeNetwork: Network = {
  interfaces: hostInterfaces,
  gateways: hostGateways,
  hostId: linuxHostId,
  mtuBytes: linuxMtuBytes,
  bindUdp,
  reserveTcp,
};

async function bindUdp(options: BindOptions): Promise<UdpSocket> {
  const type = options.family === 6 ? 'udp6' : 'udp4';
  // A synchronous lookup keeps `send` synchronous, so that a TTL set before it holds for it alone.
  const socket = createSocket({
    type,
    reuseAddr: options.multicastGroup !== undefined,
    ipv6Only: options.family === 6,
    lookup: (hostname, _options, callback) => callback(null, hostname, options.family),
  });
  await new Promise<void>((resolve, reject) => {
    const onError = (error: Error): void => {
      socket.close();
      reject(bindError(error, options));
    };
    socket.once('error', onError);
    socket.bind(
      { port: options.port ?? 0, ...(options.address ? { address: options.address } : {}), exclusive: true },
      () => {
        socket.off('error', onError);
        resolve();
      },
    );
  });
  return new NodeUdpSocket(socket, options);
}

class NodeUdpSocket implements UdpSocket {
  readonly local: Endpoint;
  onMessage: ((payload: Uint8Array, from: Endpoint) => void) | null = null;
  readonly #socket: DgramSocket;
  #closed = false;

  constructor(socket: DgramSocket, options: BindOptions) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.local = { address, port };
    // ICMP errors arrive here; the peer's silence says the same.
    socket.on('error', () => {});
    socket.on('message', (payload, from) => this.onMessage?.(payload, from));
    try {
      socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
      socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
      if (options.multicastGroup) socket.addMembership(options.multicastGroup, options.address);
      // For IPv6 the zone of the destination says it.
      if (options.multicastGroup && options.address && options.family === 4)
        socket.setMulticastInterface(options.address);
    } catch {
      // The defaults serve, only slower.
    }
  }

  send(payload: Uint8Array, to: Endpoint, ttl?: number): void {
    if (this.#closed) return;
    try {
      if (ttl !== undefined) this.#socket.setTTL(ttl);
      // A socket whose buffer is full keeps what it gets, by reference, and sends it later.
      const kept = this.#socket.getSendQueueCount() > 0;
      this.#socket.send(kept ? Buffer.from(payload) : payload, to.port, to.address);
      if (ttl !== undefined) this.#socket.setTTL(DEFAULT_TTL);
    } catch {
      // An unusable address: lost, as on any network.
    }
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onMessage = null;
    this.#socket.close();
  }
}

function bindError(error: Error & { code?: string }, { address = '*', port = 0 }: BindOptions): AwlError {
  const busy = error.code === 'EADDRINUSE';
  return new AwlError(
    busy ? 'ERR_PORT_BUSY' : 'ERR_SOCKET_BIND',
    `cannot bind ${address}:${port}: ${error.code ?? error.message}`,
    { cause: error },
  );
}

/** Finds a free port by listening for a moment: the kernel then leaves it to us, since every later socket binds it with SO_REUSEADDR. */
async function reserveTcp(options: BindOptions): Promise<TcpPort> {
  const address = options.address ?? (options.family === 6 ? '::' : '0.0.0.0');
  const server = createServer();
  await listen(server, options.port ?? 0, address, options);
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return new NodeTcpPort({ address, port }, options);
}

function listen(server: Server, port: number, address: string, options: BindOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(bindError(error, { ...options, port })));
    server.listen({ port, host: address, exclusive: true }, resolve);
  });
}

class NodeTcpPort implements TcpPort {
  readonly local: Endpoint;
  readonly #options: BindOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #closed = false;

  constructor(local: Endpoint, options: BindOptions) {
    this.local = local;
    this.#options = options;
  }

  dial(
    to: Endpoint,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<TcpStream> {
    return new Promise((resolve, reject) => {
      if (this.#closed || signal?.aborted) return reject(new DialError('aborted'));
      const socket = connect({
        host: to.address,
        port: to.port,
        localPort: this.local.port,
        ...(this.#options.address ? { localAddress: this.#options.address } : {}),
        family: this.#options.family,
        noDelay: true,
        allowHalfOpen: true,
      });
      this.#sockets.add(socket);
      const timer = setTimeout(() => end('timeout'), timeoutMs);
      const onAbort = (): void => end('aborted');
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        socket.off('error', onError);
      };
      const end = (outcome: DialError['outcome']): void => {
        settle();
        socket.on('error', () => {});
        socket.destroy();
        this.#sockets.delete(socket);
        reject(new DialError(outcome));
      };
      const onError = (error: Error & { code?: string }): void => end(dialOutcome(error.code));
      socket.once('error', onError);
      signal?.addEventListener('abort', onAbort, { once: true });
      socket.once('connect', () => {
        settle();
        // Whoever takes the stream over listens for errors; until then one must not end the process.
        socket.on('error', () => {});
        this.#sockets.delete(socket);
        resolve(streamOf(socket));
      });
    });
  }

  async listen(accept: (connection: TcpStream) => void): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      socket.on('error', () => {});
      accept(streamOf(socket));
    });
    await listen(server, this.local.port, this.local.address, this.#options);
    server.on('error', () => {});
    this.#server = server;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }
}

function streamOf(socket: Socket): TcpStream {
  return {
    stream: socket,
    local: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    remote: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
  };
}

function dialOutcome(code: string | undefined): DialError['outcome'] {
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET') return 'refused';
  return code === 'ETIMEDOUT' ? 'timeout' : 'unreachable';
}
