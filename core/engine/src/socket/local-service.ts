import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Endpoint } from '@awl/api';
import { AwlError } from '@awl/wire';

const CONNECT_TIMEOUT_MS = 10_000;

/** Connects to a service on or near this host, for a share. Rejects with `ERR_TARGET_REFUSED` or `ERR_TARGET_UNREACHABLE`. */
export function connectService(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      noDelay: true,
      allowHalfOpen: true,
      timeout: CONNECT_TIMEOUT_MS,
      signal,
    });
    const fail = (error: Error & { code?: string }): void => {
      socket.destroy();
      const refused = error.code === 'ECONNREFUSED';
      reject(
        new AwlError(
          refused ? 'ERR_TARGET_REFUSED' : 'ERR_TARGET_UNREACHABLE',
          `${host}:${port}: ${error.code ?? error.message}`,
          { cause: error },
        ),
      );
    };
    socket.once('error', fail);
    socket.once('timeout', () => fail(new Error(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`)));
    socket.once('connect', () => {
      socket.off('error', fail);
      socket.setTimeout(0);
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

/** A local TCP listener. Disposing it closes it, and the connections it accepted. */
export interface ServiceListener extends Disposable {
  readonly local: Endpoint;
}

/** Listens for local programs, for a forward. Rejects with `ERR_PORT_BUSY` or `ERR_SOCKET_BIND`. */
export function listenService(
  address: string,
  port: number,
  accept: (stream: Duplex) => void,
): Promise<ServiceListener> {
  return new Promise((resolve, reject) => {
    const open = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      open.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => open.delete(socket));
      accept(socket);
    });
    server.once('error', (error: Error & { code?: string }) => {
      const busy = error.code === 'EADDRINUSE';
      reject(
        new AwlError(
          busy ? 'ERR_PORT_BUSY' : 'ERR_SOCKET_BIND',
          `cannot listen on ${address}:${port}: ${error.code ?? error.message}`,
          { cause: error },
        ),
      );
    });
    server.listen({ host: address, port }, () => {
      const bound = server.address() as AddressInfo;
      server.on('error', () => {});
      resolve({
        local: { address: bound.address, port: bound.port },
        [Symbol.dispose]: () => {
          server.close();
          for (const socket of open) socket.destroy();
        },
      });
    });
  });
}
