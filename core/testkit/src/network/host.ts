import { AwlError } from '@awl/wire';
import type { Endpoint, Gateway, HostInterface } from '@awl/api';
import type { BindOptions, Network, TcpPort, UdpSocket } from '@awl/engine';
import { endpointKey, type AddressId } from './address.ts';
import { HostLinks, type HostInterfaceOptions } from './host-links.ts';
import type { LinkCondition } from './link.ts';
import { Packet, RST, SYN, TCP, UDP, resetFor } from './packet.ts';
import type { SeededRandom } from '../random.ts';
import type { Fabric, Interface, NetworkNode } from './segment.ts';
import { SimulatedTcpPort, type PortStack } from './tcp-port.ts';
import { TcpConnection, type OpeningResult, type SegmentStack, type TcpTuple } from './tcp-connection.ts';
import { SimulatedUdpSocket, type DatagramStack } from './udp-socket.ts';

/** Ports the system chooses from: Linux' default. */
const EPHEMERAL_FIRST = 32_768;
const EPHEMERAL_COUNT = 28_232;

/** A machine of the simulated network: the engine's {@link Network}, without any real socket. */
export class SimulatedHost implements Network, NetworkNode, DatagramStack, SegmentStack, PortStack {
  readonly name: string;
  readonly #fabric: Fabric;
  readonly #random: SeededRandom;
  readonly #links: HostLinks;
  /** Keyed by endpoint; the wildcard addresses are interned as any other. */
  readonly #udp = new Map<number, SimulatedUdpSocket>();
  readonly #groups = new Set<SimulatedUdpSocket>();
  readonly #ports = new Map<number, SimulatedTcpPort>();
  readonly #connections = new Map<number, TcpConnection>();
  readonly #wildcards: { readonly 4: AddressId; readonly 6: AddressId };

  constructor(fabric: Fabric, name: string, random: SeededRandom) {
    this.name = name;
    this.#fabric = fabric;
    this.#random = random;
    this.#links = new HostLinks(fabric, this, random);
    this.#wildcards = { 4: fabric.addresses.id('0.0.0.0'), 6: fabric.addresses.id('::') };
  }

  /** Plugs the host into a segment. */
  attach(options: HostInterfaceOptions): void {
    this.#links.attach(options);
  }

  /** Changes the condition of the host's own links, both directions. */
  setLink(condition: LinkCondition): void {
    this.#links.setCondition(condition);
  }

  // Network

  interfaces(): readonly HostInterface[] {
    return this.#links.interfaces();
  }

  gateways(): Promise<readonly Gateway[]> {
    return Promise.resolve(this.#links.gateways());
  }

  hostId(): Promise<string | undefined> {
    return Promise.resolve(`simulated-${this.name}`);
  }

  bindUdp(options: BindOptions): Promise<UdpSocket> {
    return attempt(() => {
      const { address, port } = this.#choose(options, this.#udp, options.multicastGroup !== undefined);
      const socket = new SimulatedUdpSocket(this, this.endpoint(address, port), options.multicastGroup);
      this.#udp.set(endpointKey(address, port), socket);
      if (options.multicastGroup !== undefined) this.#groups.add(socket);
      return socket;
    });
  }

  reserveTcp(options: BindOptions): Promise<TcpPort> {
    return attempt(() => {
      const { address, port } = this.#choose(options, this.#ports, false);
      const reserved = new SimulatedTcpPort(this, this.endpoint(address, port));
      this.#ports.set(endpointKey(address, port), reserved);
      return reserved;
    });
  }

  // What sockets need

  now(): number {
    return this.#fabric.clock.now();
  }

  schedule(delayMs: number, task: () => void): Disposable {
    return this.#fabric.clock.schedule(delayMs, task);
  }

  endpoint(address: AddressId, port: number): Endpoint {
    return { address: this.#fabric.addresses.text(address), port };
  }

  sendDatagram(socket: SimulatedUdpSocket, payload: Uint8Array, to: Endpoint, ttl: number): void {
    const destination = this.#fabric.addresses.id(to.address);
    if (destination === 0 || to.port < 1 || to.port > 65535) return;
    const bound = this.#fabric.addresses.id(socket.local.address);
    const source = this.#isWildcard(bound) ? this.#links.sourceFor(destination) : bound;
    if (source === 0) return;
    const packet = new Packet(UDP, source, socket.local.port, destination, to.port);
    packet.ttl = ttl;
    // The sender may use its buffer again.
    packet.payload = Buffer.from(payload);
    if (this.#fabric.addresses.isMulticast(destination)) this.#links.multicast(packet);
    else this.#links.send(packet);
  }

  sendSegment(packet: Packet): void {
    this.#links.send(packet);
  }

  openConnection(
    port: SimulatedTcpPort,
    to: Endpoint,
    onOpened: (result: OpeningResult) => void,
  ): TcpConnection | null {
    const remote = this.#fabric.addresses.id(to.address);
    const bound = this.#fabric.addresses.id(port.local.address);
    const local = this.#isWildcard(bound) ? this.#links.sourceFor(remote) : bound;
    const tuple: TcpTuple = { local, localPort: port.local.port, remote, remotePort: to.port };
    const key = connectionKey(tuple.localPort, remote, to.port);
    if (local === 0 || remote === 0 || this.#connections.has(key)) return null;
    const connection = TcpConnection.dial(this, tuple, this.#initialSequence(), onOpened);
    this.#connections.set(key, connection);
    return connection;
  }

  forget({ tuple }: TcpConnection): void {
    this.#connections.delete(connectionKey(tuple.localPort, tuple.remote, tuple.remotePort));
  }

  release(socket: SimulatedUdpSocket | SimulatedTcpPort): void {
    const key = endpointKey(this.#fabric.addresses.id(socket.local.address), socket.local.port);
    if (socket instanceof SimulatedTcpPort) {
      this.#ports.delete(key);
    } else {
      if (this.#udp.get(key) === socket) this.#udp.delete(key);
      this.#groups.delete(socket);
    }
  }

  // What comes in

  receive(packet: Packet, arrivedOn: Interface): void {
    arrivedOn.segment.trace('received', packet, this.name);
    if (this.#fabric.addresses.isMulticast(packet.destination)) this.#deliverMulticast(packet, arrivedOn);
    else if (packet.protocol === UDP) this.#deliverDatagram(packet, arrivedOn);
    else if (packet.protocol === TCP) this.#deliverSegment(packet);
    else if (packet.quoted?.protocol === TCP) {
      const { quoted } = packet;
      this.#connections
        .get(connectionKey(quoted.sourcePort, quoted.destination, quoted.destinationPort))
        ?.unreachable();
      this.#fabric.clock.touch();
    }
  }

  #deliverDatagram(packet: Packet, arrivedOn: Interface): void {
    const family = this.#fabric.addresses.family(packet.destination);
    const socket =
      this.#udp.get(endpointKey(packet.destination, packet.destinationPort)) ??
      this.#udp.get(endpointKey(this.#wildcards[family], packet.destinationPort));
    if (!socket?.onMessage) return arrivedOn.segment.trace('no-socket', packet, this.name);
    this.#fabric.clock.touch();
    socket.onMessage(packet.payload, this.endpoint(packet.source, packet.sourcePort));
  }

  #deliverMulticast(packet: Packet, arrivedOn: Interface): void {
    const from = this.endpoint(packet.source, packet.sourcePort);
    const group = this.#fabric.addresses.text(packet.destination);
    for (const socket of this.#groups) {
      if (
        socket.multicastGroup !== group ||
        socket.local.port !== packet.destinationPort ||
        !socket.onMessage
      )
        continue;
      if (!this.#listensOn(socket, arrivedOn)) continue;
      this.#fabric.clock.touch();
      socket.onMessage(Buffer.from(packet.payload), from);
    }
  }

  #deliverSegment(packet: Packet): void {
    this.#fabric.clock.touch();
    const key = connectionKey(packet.destinationPort, packet.source, packet.sourcePort);
    const connection = this.#connections.get(key);
    if (connection) return connection.receive(packet);
    if (packet.flags & RST) return;
    const port = this.#portAt(packet.destination, packet.destinationPort);
    if (packet.flags !== SYN || !port?.accept) return this.#links.send(resetFor(packet));
    const tuple: TcpTuple = {
      local: packet.destination,
      localPort: packet.destinationPort,
      remote: packet.source,
      remotePort: packet.sourcePort,
    };
    const accepted = TcpConnection.accept(this, tuple, this.#initialSequence(), packet, (result) => {
      if (!('connected' in result)) return;
      if (port.accept) port.accept(result.connected);
      else result.connected.stream.destroy();
    });
    this.#connections.set(key, accepted);
  }

  #portAt(address: AddressId, port: number): SimulatedTcpPort | undefined {
    const family = this.#fabric.addresses.family(address);
    return (
      this.#ports.get(endpointKey(address, port)) ??
      this.#ports.get(endpointKey(this.#wildcards[family], port))
    );
  }

  #listensOn(socket: SimulatedUdpSocket, arrivedOn: Interface): boolean {
    const bound = this.#fabric.addresses.id(socket.local.address);
    return this.#isWildcard(bound) || arrivedOn.addresses.includes(bound);
  }

  #isWildcard(address: AddressId): boolean {
    return address === this.#wildcards[4] || address === this.#wildcards[6];
  }

  /** Finds the address and a free port for a bind, or throws `ERR_SOCKET_BIND`. */
  #choose(
    options: BindOptions,
    taken: ReadonlyMap<number, unknown>,
    shared: boolean,
  ): { readonly address: AddressId; readonly port: number } {
    const address =
      options.address === undefined
        ? this.#wildcards[options.family]
        : this.#fabric.addresses.id(options.address);
    if (!this.#isWildcard(address) && !this.#links.isOwn(address))
      throw new AwlError('ERR_SOCKET_BIND', `${this.name} has no address ${options.address}`);
    const wanted = options.port ?? 0;
    const isTaken = (port: number): boolean => {
      return (
        taken.has(endpointKey(address, port)) || taken.has(endpointKey(this.#wildcards[options.family], port))
      );
    };
    if (wanted > 0) {
      if (isTaken(wanted) && !shared) throw new AwlError('ERR_SOCKET_BIND', `port ${wanted} is in use`);
      return { address, port: wanted };
    }
    const start = this.#random.integer(EPHEMERAL_COUNT);
    for (let tries = 0; tries < EPHEMERAL_COUNT; tries++) {
      const port = EPHEMERAL_FIRST + ((start + tries) % EPHEMERAL_COUNT);
      if (!isTaken(port)) return { address, port };
    }
    throw new AwlError('ERR_SOCKET_BIND', 'no port is free');
  }

  #initialSequence(): number {
    return this.#random.integer(2 ** 31);
  }
}

/** The remote end and the local port: 15 bits of address number, and twice 16 of port. */
function connectionKey(localPort: number, remote: AddressId, remotePort: number): number {
  return endpointKey(remote, remotePort) * 65536 + localPort;
}

function attempt<T>(make: () => T): Promise<T> {
  try {
    return Promise.resolve(make());
  } catch (error) {
    return Promise.reject(error);
  }
}
