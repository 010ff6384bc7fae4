import type { Host, LanSocket, Logger, PortMapping } from '@awl/api';
import { SeededRandom, VirtualClock } from '@awl/testkit';

type Endpoint = { readonly address: string; readonly port: number };
/** What the router answers to one datagram: any number of datagrams, from where they come. */
export type Answer = (payload: Uint8Array) => readonly (Uint8Array | { from: Endpoint; bytes: Uint8Array })[];

export const ROUTER = '192.168.1.1';
export const ROUTER_6 = 'fe80::1';
const SERVER_PORT = 5351;

/** A host on a LAN whose router answers as `answer` says. */
export function place(answer: Answer) {
  const clock = new VirtualClock();
  /** When each request came, and the request. */
  const requests: { readonly atMs: number; readonly bytes: Uint8Array; readonly from: string }[] = [];
  const lines: string[] = [];
  const line = (message: string): void => void lines.push(message);
  const log: Logger = { debug: line, info: line, warn: line, error: line };
  let open = 0;
  const host: Host = {
    gateways: () =>
      Promise.resolve([
        { address: ROUTER, interfaceName: 'eth0' },
        { address: ROUTER_6, interfaceName: 'eth0' },
      ]),
    interfaces: () => [
      { name: 'eth0', address: 'fe80::5', family: 6, prefixLength: 64, internal: false, kind: 'link' },
      { name: 'eth0', address: '192.168.1.5', family: 4, prefixLength: 24, internal: false, kind: 'link' },
      { name: 'eth0', address: '2001:db8::5', family: 6, prefixLength: 64, internal: false, kind: 'link' },
    ],
    lanHttp: () => Promise.reject(new Error('no HTTP here')),
    lanUdp: ({ localAddress = '' }) => {
      open += 1;
      const socket: LanSocket = {
        local: { address: localAddress, port: 40_000 },
        onDatagram: null,
        send(bytes, to) {
          requests.push({ atMs: clock.now(), bytes, from: localAddress });
          for (const each of answer(bytes)) {
            const sent =
              'from' in each ? each : { from: { address: to.address, port: SERVER_PORT }, bytes: each };
            clock.schedule(1, () => socket.onDatagram?.(sent.bytes, sent.from));
          }
        },
        [Symbol.dispose]: () => void (open -= 1),
      };
      return Promise.resolve(socket);
    },
  };
  const parts = { host, clock, log, random: new SeededRandom(1) };
  return { parts, clock, requests, lines, openSockets: () => open };
}

/** A NAT-PMP router: external address 203.0.113.7, external port = internal port + 1000. */
export function natPmpRouter(
  options: { readonly result?: number; readonly epochS?: () => number } = {},
): Answer {
  const { result = 0, epochS = () => 1000 } = options;
  return (request) => {
    if (request[0] !== 0) return [head(8, 0, 0, 1, epochS())];
    if (request[1] === 0) {
      const bytes = head(12, 0, 0, result, epochS());
      bytes.set([203, 0, 113, 7], 8);
      return [bytes];
    }
    const view = new DataView(request.buffer, request.byteOffset);
    const bytes = head(16, 0, request[1]!, result, epochS());
    const answer = new DataView(bytes.buffer);
    answer.setUint16(8, view.getUint16(4));
    answer.setUint16(10, view.getUint32(8) === 0 ? 0 : view.getUint16(4) + 1000);
    answer.setUint32(12, Math.min(3600, view.getUint32(8)));
    return [bytes];
  };
}

/** A PCP server with the same address and ports; IPv6 clients keep their own. */
export function pcpRouter(
  options: { readonly result?: number; readonly epochS?: () => number } = {},
): Answer {
  const { result = 0, epochS = () => 1000 } = options;
  return (request) => {
    if (request[0] !== 2) return [];
    const bytes = Uint8Array.from(request);
    const view = new DataView(bytes.buffer);
    bytes[1] = 0x80 | request[1]!;
    bytes[3] = result;
    view.setUint32(4, Math.min(3600, view.getUint32(4)));
    view.setUint32(8, epochS());
    bytes.fill(0, 12, 24);
    if (request[1] === 0) return [bytes];
    const v6 = request[8] === 0x20;
    view.setUint16(42, view.getUint16(40) + (v6 ? 0 : 1000));
    bytes.set(v6 ? request.subarray(8, 24) : [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 203, 0, 113, 7], 44);
    return [bytes];
  };
}

export const MAPPED: Omit<PortMapping, 'handle'> = {
  protocol: 'udp',
  internalPort: 4000,
  externalPort: 5000,
  externalAddress: '203.0.113.7',
  lifetimeS: 3600,
};

function head(length: number, version: number, opcode: number, result: number, epochS: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  view.setUint8(1, 128 + opcode);
  view.setUint16(2, result);
  view.setUint32(4, epochS);
  return bytes;
}
