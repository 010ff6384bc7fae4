import type { Gateway, Host, HostInterface, LanSocket } from '@awl/api';
import type { Rpc } from '../rpc.ts';

type Receiver = NonNullable<LanSocket['onDatagram']>;
type From = Parameters<Receiver>[1];

/** The host as the node lets this plugin see it. */
export class RemoteHost implements Host {
  readonly #rpc: () => Rpc;
  readonly #receivers = new Map<number, Receiver>();
  #interfaces: readonly HostInterface[] = [];

  constructor(rpc: () => Rpc) {
    this.#rpc = rpc;
  }

  set known(interfaces: readonly HostInterface[]) {
    this.#interfaces = interfaces;
  }

  /** Also brings {@link interfaces} up to date. */
  async gateways(): Promise<readonly Gateway[]> {
    const answer = (await this.#rpc().call('host.gateways', {})) as {
      readonly gateways: readonly Gateway[];
      readonly interfaces: readonly HostInterface[];
    };
    this.#interfaces = answer.interfaces;
    return answer.gateways;
  }

  interfaces(): readonly HostInterface[] {
    return this.#interfaces;
  }

  async lanHttp({ signal, ...request }: Parameters<Host['lanHttp']>[0]): ReturnType<Host['lanHttp']> {
    return (await this.#rpc().call('host.lanHttp', request, signal)) as Awaited<ReturnType<Host['lanHttp']>>;
  }

  async lanUdp(options: Parameters<Host['lanUdp']>[0]): Promise<LanSocket> {
    const rpc = this.#rpc;
    const receivers = this.#receivers;
    const { socket, local } = (await rpc().call('lan.open', options)) as {
      readonly socket: number;
      readonly local: LanSocket['local'];
    };
    return {
      local,
      send: (payload, to) =>
        rpc().notify('lan.send', { socket, payload: Buffer.from(payload).toString('base64'), to }),
      get onDatagram() {
        return receivers.get(socket) ?? null;
      },
      set onDatagram(receiver: Receiver | null) {
        if (receiver) receivers.set(socket, receiver);
        else receivers.delete(socket);
      },
      [Symbol.dispose]: () => {
        receivers.delete(socket);
        rpc().notify('lan.close', { socket });
      },
    };
  }

  deliver(socket: number, payload: string, from: From): void {
    this.#receivers.get(socket)?.(Buffer.from(payload, 'base64'), from);
  }
}
