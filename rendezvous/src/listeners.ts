import type { Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server as TcpServer } from 'node:net';
import { AwlError, type ErrorCode } from '@awl/wire';
import { bindUdp } from './stun-sockets.ts';

/** The sockets of one local address, each by port index. */
export interface Listeners {
  readonly address: string;
  readonly tcp: readonly [TcpServer, TcpServer];
  readonly udp: readonly [UdpSocket, UdpSocket];
}

/** With any port: how often to look for one that is free for TCP and UDP on all addresses. */
const ANY_PORT_TRIES = 20;

/**
 * Opens a TCP and a UDP socket for both ports on each address. One socket per address, since a wildcard UDP socket answers from the address
 * that the routes say and not from the one that was asked. With `skipGone`, an address that can't be bound is left out: it was found and
 * went, or is not ready yet. Throws `ERR_PORT_BUSY`, `ERR_SOCKET_BIND`.
 */
export async function openListeners(
  addresses: readonly string[],
  ports: readonly [number, number],
  skipGone: boolean,
): Promise<Listeners[]> {
  const anyPort = ports.includes(0);
  for (let attempt = 1; ; attempt++) {
    try {
      return await openAll(addresses, ports, skipGone);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (error instanceof AwlError) throw error;
      if (!(anyPort && code === 'EADDRINUSE' && attempt < ANY_PORT_TRIES))
        throw bindError(error as NodeJS.ErrnoException);
    }
  }
}

export function closeListeners(listeners: readonly Listeners[]): void {
  for (const { tcp, udp } of listeners) {
    for (const server of tcp) server.close();
    for (const socket of udp) socket.close();
  }
}

async function openAll(
  addresses: readonly string[],
  wanted: readonly [number, number],
  skipGone: boolean,
): Promise<Listeners[]> {
  const listeners: Listeners[] = [];
  let ports = wanted;
  try {
    for (const address of addresses) {
      const opened = await openAddress(address, ports).catch((error: NodeJS.ErrnoException) => {
        if (!(skipGone && error.code === 'EADDRNOTAVAIL')) throw error;
      });
      if (!opened) continue;
      listeners.push(opened);
      ports = portsOf(opened);
    }
  } catch (error) {
    closeListeners(listeners);
    throw error;
  }
  if (listeners.length === 0)
    throw new AwlError('ERR_SOCKET_BIND', 'None of the addresses of this machine could be bound.');
  return listeners;
}

async function openAddress(address: string, ports: readonly [number, number]): Promise<Listeners> {
  const opened: (TcpServer | UdpSocket)[] = [];
  const openPort = async (wanted: number): Promise<readonly [TcpServer, UdpSocket]> => {
    const tcp = await listenTcp(address, wanted);
    opened.push(tcp);
    const udp = await bindUdp(address, (tcp.address() as { port: number }).port);
    opened.push(udp);
    return [tcp, udp];
  };
  try {
    const [primary, alternate] = [await openPort(ports[0]), await openPort(ports[1])];
    return { address, tcp: [primary[0], alternate[0]], udp: [primary[1], alternate[1]] };
  } catch (error) {
    for (const socket of opened) socket.close();
    throw error;
  }
}

/** The ports that were really bound. */
export function portsOf({ udp }: Listeners): readonly [number, number] {
  return [udp[0].address().port, udp[1].address().port];
}

async function listenTcp(host: string, port: number): Promise<TcpServer> {
  const server = createServer();
  server.listen({ host, port, ipv6Only: host.includes(':'), exclusive: true });
  await once(server, 'listening');
  return server;
}

function bindError(
  error: NodeJS.ErrnoException & { readonly address?: string; readonly port?: number },
): AwlError {
  const where = `${error.address ?? ''} port ${error.port ?? ''}`;
  const code: ErrorCode = error.code === 'EADDRINUSE' ? 'ERR_PORT_BUSY' : 'ERR_SOCKET_BIND';
  const detail =
    code === 'ERR_PORT_BUSY'
      ? `${where} is already in use.`
      : `${where} could not be bound (${error.code ?? error.message}).`;
  return new AwlError(code, detail.trim(), { cause: error });
}
