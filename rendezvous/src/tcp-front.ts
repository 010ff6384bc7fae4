import { constants } from 'node:crypto';
import type { Server as TcpServer, Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { isStun, RENDEZVOUS_ALPN } from '@awl/wire';
import { ControlConnection, type ControlContext } from './connection.ts';
import { addressKey, Occupancy, RateLimit } from './rate-limit.ts';
import type { ServerKey } from './server-key.ts';
import { serveStunTcp } from './stun-sockets.ts';
import type { StunService } from './stun-service.ts';
import type { Site } from './topology.ts';

/** The first byte of a TLS handshake record (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 22;

/** Takes TCP connections: STUN on both ports, control on the primary one, told apart by the first byte. */
export class TcpFront {
  readonly #context: ControlContext;
  readonly #stun: StunService;
  readonly #pending: Occupancy;
  readonly #rate: RateLimit;
  readonly #sockets = new Set<Socket>();
  /** With the promise of their end. */
  readonly #connections = new Map<ControlConnection, Promise<void>>();
  /** The place of a socket until it is a registered peer. */
  readonly #places = new Map<string, Disposable>();
  readonly #tls;

  constructor(key: ServerKey, context: ControlContext, stun: StunService) {
    this.#context = context;
    this.#stun = stun;
    this.#pending = new Occupancy(context.limits.pendingPerAddress, context.limits.pending);
    this.#rate = new RateLimit(context.limits.connectionsPerSecond, context.limits.connectionsBurst);
    this.#tls = createTlsServer({
      key: key.keyPem,
      cert: key.certificatePem,
      minVersion: 'TLSv1.3',
      // No resumption: it would hide the peer's key.
      secureOptions: constants.SSL_OP_NO_TICKET,
      ALPNProtocols: [RENDEZVOUS_ALPN],
      // Any self-signed certificate will do, and one is wanted: the connection looks at its key.
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: context.limits.helloTimeoutMs,
    });
    this.#tls.on('secureConnection', (socket: TLSSocket) => this.#control(socket));
    this.#tls.on('tlsClientError', (error, socket) => {
      context.log({ level: 'debug', event: 'tls.failed', reason: error.message });
      socket.destroy();
    });
  }

  /** Serves what comes in at one listener. */
  listen(server: TcpServer, at: Site): void {
    server.on('connection', (socket) => this.#accept(socket, at));
    server.on('error', (error) =>
      this.#context.log({ level: 'warn', event: 'tcp.error', reason: error.message }),
    );
  }

  /** Tells each peer that the server stops and lets it go within `graceMs`; without any, just closes. Resolves when all are gone. */
  async stop(retryAfterMs: number, graceMs: number): Promise<void> {
    const gone = Promise.all(this.#connections.values());
    if (graceMs > 0) {
      for (const connection of this.#connections.keys()) connection.end({ type: 'stopping', retryAfterMs });
      const late = Promise.withResolvers<void>();
      using _timer = this.#context.clock.schedule(graceMs, late.resolve);
      await Promise.race([gone, late.promise]);
    }
    for (const socket of this.#sockets) socket.destroy();
    await gone;
  }

  #accept(socket: Socket, at: Site): void {
    const address = addressKey(socket.remoteAddress ?? '');
    const isTooFast = this.#rate.take(address, this.#context.clock.now()) > 0;
    const place = isTooFast ? undefined : this.#pending.enter(address);
    if (!place) {
      this.#context.metrics.refused.inc({ code: 'ERR_RENDEZVOUS_LIMIT' });
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    const key = connectionKey(socket);
    this.#places.set(key, place);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#places.get(key) === place) this.#places.delete(key);
      place[Symbol.dispose]();
    });
    // Resets and the like; the close that follows is what counts.
    socket.on('error', () => undefined);
    socket.setNoDelay(true);
    const timer = this.#context.clock.schedule(this.#context.limits.helloTimeoutMs, () => socket.destroy());
    socket.once('close', () => timer[Symbol.dispose]());
    const onReadable = (): void => {
      const first = socket.read(1) as Buffer | null;
      if (first === null) return;
      socket.off('readable', onReadable);
      timer[Symbol.dispose]();
      socket.unshift(first);
      if (isStun(first[0])) serveStunTcp(socket, at, this.#stun, () => place[Symbol.dispose]());
      else if (first[0] === TLS_HANDSHAKE && at.port === 0) this.#tls.emit('connection', socket);
      else socket.destroy();
    };
    socket.on('readable', onReadable);
  }

  #control(socket: TLSSocket): void {
    const connection = new ControlConnection(socket, this.#context);
    const place = this.#places.get(connectionKey(socket));
    const ended = connection
      .run(() => place?.[Symbol.dispose]())
      .finally(() => this.#connections.delete(connection));
    this.#connections.set(connection, ended);
  }
}

/** The TLS socket does not name the socket below it; both know the connection. */
function connectionKey({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
