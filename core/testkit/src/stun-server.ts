import { decodeStun, encodeStun, stunStreamReader, type StunAttributes, type StunMessage } from '@awl/wire';
import type { Endpoint } from '@awl/api';
import type { Network, TcpStream, UdpSocket } from '@awl/engine';

/** The rendezvous' port numbers. */
export const STUN_PORTS = [7777, 7778] as const;
const CHANGE_REQUEST = 0x0003;

/** The endpoints of a STUN server, grouped by address: `[primary port, alternate port]` of each. */
export interface StunEndpoints {
  readonly udp: readonly Endpoint[];
  readonly tcp: readonly Endpoint[];
}

/**
 * Runs a STUN server (RFC 8489, RFC 5780) on two ports of each of one or two addresses, over UDP and TCP, until it is disposed.
 * With one address there is no OTHER-ADDRESS, and CHANGE-REQUEST is refused, as RFC 5780 §6.1 has it.
 */
export async function serveStun(
  network: Network,
  addresses: readonly string[],
): Promise<StunEndpoints & Disposable> {
  const open = new DisposableStack();
  const endpoints = addresses.flatMap((address) => STUN_PORTS.map((port) => ({ address, port })));
  const sockets: UdpSocket[] = [];
  for (const [index, endpoint] of endpoints.entries()) {
    const socket = open.use(await network.bindUdp({ family: 4, ...endpoint }));
    socket.onMessage = (payload, from) => {
      const request = decodeStun(Buffer.from(payload));
      if (request?.class !== 'request') return;
      const answer = respond(request, from, index, endpoints, true);
      sockets[answer.via]!.send(answer.packet, from);
    };
    sockets.push(socket);
    const port = open.use(await network.reserveTcp({ family: 4, ...endpoint }));
    await port.listen((connection) => serveStream(connection, index, endpoints));
  }
  return { udp: endpoints, tcp: endpoints, [Symbol.dispose]: () => open.dispose() };
}

function serveStream({ stream, remote }: TcpStream, index: number, endpoints: readonly Endpoint[]): void {
  const reader = stunStreamReader();
  stream.on('error', () => {});
  stream.on('end', () => stream.end());
  stream.on('data', (chunk: Buffer) => {
    const goesOn = reader.push(chunk, (bytes) => {
      const request = decodeStun(Buffer.from(bytes));
      if (request?.class === 'request')
        stream.write(respond(request, remote, index, endpoints, false).packet);
    });
    if (!goesOn) stream.destroy();
  });
}

/** Sockets are numbered 2 × address + port. */
function respond(
  request: StunMessage,
  from: Endpoint,
  at: number,
  endpoints: readonly Endpoint[],
  canChange: boolean,
): { readonly packet: Buffer; readonly via: number } {
  const change = request.attributes.changeRequest;
  const hasOther = endpoints.length === 4;
  const via = at ^ (change?.changePort ? 1 : 0) ^ (change?.changeAddress ? 2 : 0);
  if ((via !== at && !canChange) || via >= endpoints.length) return { packet: refuse(request), via: at };
  const attributes: StunAttributes = {
    xorMappedAddress: { ...from },
    mappedAddress: { ...from },
    responseOrigin: endpoints[via]!,
    ...(hasOther && { otherAddress: endpoints[at ^ 3]! }),
  };
  const packet = encodeStun(
    { class: 'response', transactionId: request.transactionId, attributes },
    { fingerprint: request.fingerprint },
  );
  return { packet, via };
}

function refuse({ transactionId, fingerprint }: StunMessage): Buffer {
  const attributes: StunAttributes = {
    errorCode: { code: 420, reason: 'Unknown Attribute' },
    unknownAttributes: [CHANGE_REQUEST],
  };
  return encodeStun({ class: 'error', transactionId, attributes }, { fingerprint });
}
