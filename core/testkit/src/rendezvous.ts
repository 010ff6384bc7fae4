import { AwlError } from '@awl/wire';
import type { PeerRecord, Rendezvous } from '@awl/engine';
import type { SimulatedHost } from './network/host.ts';
import type { SimulatedNetwork } from './network/network.ts';
import { serveStun, type StunEndpoints } from './stun-server.ts';

/** Two addresses, so that behaviour discovery is complete (RFC 5780). */
export const RENDEZVOUS_ADDRESSES = ['203.0.113.2', '198.51.100.2'] as const;
const CONTROL_PORT = 7780;
const DIAL_TIMEOUT_MS = 20_000;

/** What a peer says of itself. */
export type OwnRecord = Pick<PeerRecord, 'peerId' | 'name' | 'spki' | 'sealKey' | 'sealSignature'>;

export interface RendezvousServerOptions {
  readonly addresses?: readonly string[];
  /** One way between the server and the internet. */
  readonly delayMs?: number;
}

/**
 * A rendezvous inside a simulated network: presence, signalling, STUN. Each peer registers by a TCP connection through its own NATs,
 * which tells the server its address and the delay that its messages have from then on.
 */
export class SimulatedRendezvousServer {
  readonly host: SimulatedHost;
  readonly stun: StunEndpoints;
  readonly #clients = new Map<string, SimulatedRendezvous>();

  private constructor(host: SimulatedHost, stun: StunEndpoints) {
    this.host = host;
    this.stun = stun;
  }

  static async start(
    network: SimulatedNetwork,
    options: RendezvousServerOptions = {},
  ): Promise<SimulatedRendezvousServer> {
    const { addresses = RENDEZVOUS_ADDRESSES, delayMs = 5 } = options;
    const host = network.addPublicHost('rendezvous', addresses, { delayMs });
    const server = new SimulatedRendezvousServer(host, await serveStun(host, addresses));
    const control = await host.reserveTcp({ family: 4, address: addresses[0]!, port: CONTROL_PORT });
    await control.listen(({ stream, remote }) => {
      stream.on('error', () => {});
      stream.resume();
      stream.on('end', () => stream.end());
      stream.write(remote.address);
    });
    return server;
  }

  /** The rendezvous as the engine on `host` sees it. */
  client(host: SimulatedHost, record: OwnRecord): SimulatedRendezvous {
    return new SimulatedRendezvous(this, this.#clients, host, record);
  }
}

/** One peer's view of a {@link SimulatedRendezvousServer}. */
export class SimulatedRendezvous implements Rendezvous {
  readonly url: string;
  readonly stun: StunEndpoints;
  onSignal: Rendezvous['onSignal'] = null;
  onPresence: Rendezvous['onPresence'] = null;
  onStatus: Rendezvous['onStatus'] = null;
  /** How much later than it should the n-th message comes in, counted from 0, milliseconds: a slow or busy signalling path. */
  lateMs: ((nth: number) => number) | null = null;
  #received = 0;
  readonly #server: SimulatedRendezvousServer;
  readonly #clients: Map<string, SimulatedRendezvous>;
  readonly #host: SimulatedHost;
  readonly #record: OwnRecord;
  #observedAddress: string | undefined;
  #oneWayMs = 0;
  #drop: (() => void) | undefined;

  constructor(
    server: SimulatedRendezvousServer,
    clients: Map<string, SimulatedRendezvous>,
    host: SimulatedHost,
    record: OwnRecord,
  ) {
    this.url = `awl://${RENDEZVOUS_ADDRESSES[0]}`;
    this.stun = server.stun;
    this.#server = server;
    this.#clients = clients;
    this.#host = host;
    this.#record = record;
  }

  async open(signal?: AbortSignal): Promise<void> {
    this.onStatus?.('connecting', {});
    const startedAtMs = this.#host.now();
    using port = await this.#host.reserveTcp({ family: 4 });
    const to = { address: this.#server.stun.tcp[0]!.address, port: CONTROL_PORT };
    const { stream } = await port
      .dial(to, { timeoutMs: DIAL_TIMEOUT_MS, ...(signal && { signal }) })
      .catch((error: unknown) => {
        throw new AwlError('ERR_RENDEZVOUS_UNREACHABLE', undefined, { cause: error });
      });
    const rttMs = this.#host.now() - startedAtMs;
    this.#oneWayMs = rttMs / 2;
    this.#observedAddress = await new Promise<string>((resolve) =>
      stream.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    this.#drop = () => stream.destroy();
    this.#clients.set(this.#record.peerId, this);
    this.#announce();
    this.onStatus?.('connected', { rttMs });
  }

  async lookup(nameOrId: string, signal?: AbortSignal): Promise<PeerRecord | undefined> {
    await this.#roundTrip();
    signal?.throwIfAborted();
    for (const client of this.#clients.values()) {
      if (client.#record.peerId === nameOrId || client.#record.name === nameOrId) return client.#published();
    }
    return undefined;
  }

  async send(peerId: string, sealed: string): Promise<void> {
    const receiver = this.#clients.get(peerId);
    if (receiver) {
      const from = this.#published();
      const delayMs = this.#oneWayMs + receiver.#oneWayMs + (receiver.lateMs?.(receiver.#received++) ?? 0);
      this.#host.schedule(delayMs, () => {
        if (this.#clients.get(peerId) === receiver) receiver.onSignal?.(from, sealed);
      });
    }
    await this.#roundTrip();
    if (!receiver) throw new AwlError('ERR_PEER_OFFLINE');
  }

  close(): Promise<void> {
    if (this.#clients.get(this.#record.peerId) === this) {
      this.#clients.delete(this.#record.peerId);
      this.#announce();
    }
    this.#drop?.();
    this.#drop = undefined;
    return Promise.resolve();
  }

  #published(): PeerRecord {
    return {
      ...this.#record,
      online: this.#clients.get(this.#record.peerId) === this,
      seenAt: this.#host.now(),
      ...(this.#observedAddress !== undefined && { observedAddress: this.#observedAddress }),
    };
  }

  #announce(): void {
    const record = this.#published();
    for (const other of this.#clients.values()) {
      if (other === this) continue;
      this.#host.schedule(other.#oneWayMs, () => other.onPresence?.(record));
      if (record.online) this.#host.schedule(this.#oneWayMs, () => this.onPresence?.(other.#published()));
    }
  }

  #roundTrip(): Promise<void> {
    return new Promise((resolve) => void this.#host.schedule(2 * this.#oneWayMs, resolve));
  }
}
