import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket as TcpSocket } from 'node:net';
import { isStun, stunStreamReader } from '@awl/wire';
import type { LogEntry } from './options.ts';
import type { StunService } from './stun-service.ts';
import type { Site } from './topology.ts';

/** A STUN connection that says nothing for so long is closed. Long enough to measure how long a NAT keeps a TCP mapping. */
const TCP_IDLE_MS = 180_000;
/** Then the connection is closed: discovery needs a few. */
const TCP_MAX_REQUESTS = 1000;

/** Binds a UDP socket that sends without a detour through name resolution. */
export async function bindUdp(address: string, port: number): Promise<UdpSocket> {
  const family = address.includes(':') ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6,
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  try {
    // With such a lookup the event comes within bind().
    const listening = once(socket, 'listening');
    socket.bind({ address, port, exclusive: true });
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

/** Answers STUN on a UDP socket; the answer leaves by the socket of the site that it shall come from. */
export function serveStunUdp(
  socket: UdpSocket,
  at: Site,
  service: StunService,
  socketOf: (site: Site) => UdpSocket,
  log: (entry: LogEntry) => void,
): void {
  socket.on('message', (packet, from) => {
    // Nothing comes from port 0, and nothing can be sent there.
    if (!isStun(packet[0]) || from.port === 0) return;
    const answer = service.answer(packet, from, at, 'udp');
    if (!answer) return;
    socketOf(answer.via).send(answer.packet, from.port, from.address, () => {
      // What can't be sent is lost, as on any network; the asker repeats.
    });
  });
  socket.on('error', (error) => log({ level: 'warn', event: 'stun.udp.error', reason: error.message }));
}

/** Answers STUN on one TCP connection, from its first byte on. `release` is called when it is closed. */
export function serveStunTcp(socket: TcpSocket, at: Site, service: StunService, release: () => void): void {
  const reader = stunStreamReader();
  const from = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
  let requests = 0;
  socket.once('close', release);
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  socket.on('end', () => socket.end());
  socket.on('data', (chunk: Buffer) => {
    const followed = reader.push(chunk, (packet) => {
      if (socket.destroyed) return;
      const answer = service.answer(packet, from, at, 'tcp');
      if (answer) socket.write(answer.packet);
      // Who asks much or does not read its answers has lost interest.
      if (++requests >= TCP_MAX_REQUESTS || socket.writableNeedDrain) socket.destroy();
    });
    if (!followed) socket.destroy();
  });
}
