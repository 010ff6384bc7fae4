import { isIPv4 } from 'node:net';
import { familyOf, type Host, type HostInterface, type LanSocket } from '@awl/api';
import { AwlError } from '@awl/wire';
import { isLinkLocal6, withoutZone, withZone } from './lan-address.ts';
import type { Network, UdpSocket } from './network.ts';

const PAYLOAD_LIMIT_BYTES = 1400;
/** Whoever floods the LAN costs a plugin no more than this many datagrams a second. */
const RECEIVED_PER_SECOND = 200;

type Options = Parameters<Host['lanUdp']>[0];

/**
 * A UDP socket that reaches a gateway or one multicast group, on one interface. Without a group it hears gateways only. Rejects with
 * `ERR_DESTINATION_DENIED` for a group that leaves the LAN, or a local address that this host does not have.
 */
export async function openLanSocket(network: Network, options: Options): Promise<LanSocket> {
  const { multicastGroup: group, localAddress, port } = options;
  const on = localAddress === undefined ? undefined : interfaceOf(network, localAddress);
  if (group !== undefined) {
    if (!staysOnLan(group)) throw refused(`${group} is no multicast group of a LAN`);
    if (!on) throw refused('a multicast group needs the address of the interface it is joined on');
  }
  const gateways = await network.gateways();
  const socket = await network.bindUdp({
    family: familyOf({ address: group ?? localAddress ?? '' }),
    ...(on && { address: on.address }),
    ...(port !== undefined && { port }),
    ...(group !== undefined && { multicastGroup: group }),
  });
  return new GatewaySocket(
    socket,
    new Map(
      gateways.map((gateway) => [
        withoutZone(gateway.address),
        withZone(withoutZone(gateway.address), gateway.interfaceName),
      ]),
    ),
    group,
    on,
  );
}

class GatewaySocket implements LanSocket {
  readonly local: LanSocket['local'];
  onDatagram: LanSocket['onDatagram'] = null;
  readonly #socket: UdpSocket;
  /** What may be sent to: as plugins write it → as the system wants it. */
  readonly #destinations: Map<string, string>;
  #second = 0;
  #heard = 0;

  constructor(
    socket: UdpSocket,
    gateways: Map<string, string>,
    group: string | undefined,
    on: HostInterface | undefined,
  ) {
    this.#socket = socket;
    this.local = { address: withoutZone(socket.local.address), port: socket.local.port };
    this.#destinations = new Map(gateways);
    if (group !== undefined && on) this.#destinations.set(group, withZone(group, on.name));
    socket.onMessage = (payload, from) => {
      const address = withoutZone(from.address);
      if ((group === undefined && !gateways.has(address)) || !this.#take()) return;
      this.onDatagram?.(payload, { address, port: from.port });
    };
  }

  send(payload: Uint8Array, to: { readonly address: string; readonly port: number }): void {
    const address = this.#destinations.get(to.address);
    if (address === undefined) throw refused(`${to.address} is not a gateway of this host`);
    if (payload.length > PAYLOAD_LIMIT_BYTES)
      throw refused(`a datagram has at most ${PAYLOAD_LIMIT_BYTES} bytes`);
    this.#socket.send(payload, { address, port: to.port });
  }

  [Symbol.dispose](): void {
    this.onDatagram = null;
    this.#socket[Symbol.dispose]();
  }

  #take(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#heard = 0;
    }
    return ++this.#heard <= RECEIVED_PER_SECOND;
  }
}

function interfaceOf(network: Network, address: string): HostInterface {
  const found = network.interfaces().find((each) => withoutZone(each.address) === address);
  if (!found) throw refused(`${address} is not an address of this host`);
  return isLinkLocal6(address) ? { ...found, address: withZone(address, found.name) } : found;
}

/** RFC 5771 §4 and RFC 2365 §6.1 for IPv4, RFC 4291 §2.7 for IPv6: link-local, and the site-local groups that SSDP uses. */
function staysOnLan(group: string): boolean {
  return isIPv4(group) ? /^(224\.0\.0\.|239\.)/.test(group) : /^ff0[25]:/i.test(group);
}

function refused(detail: string): AwlError {
  return new AwlError('ERR_DESTINATION_DENIED', detail);
}
