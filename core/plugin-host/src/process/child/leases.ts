import type { Endpoint, Lease, Running, ScheduledPacket, Sockets, TcpLease, UdpLease } from '@awl/api';
import type { Rpc } from '../rpc.ts';
import type { LeaseInfo } from '../scopes.ts';

/** A running piece of work at the node; stopping it cancels the call. */
function running(call: (signal: AbortSignal) => Promise<unknown>): Running {
  const abort = new AbortController();
  const done = call(abort.signal).then(
    (sent) => Number(sent),
    (error: unknown) => {
      if (abort.signal.aborted) return 0;
      throw error;
    },
  );
  done.catch(() => undefined); // who does not wait for it does not want to know
  return { done, [Symbol.dispose]: () => abort.abort() };
}

/** More than a plugin may hold; what was prepared and never punched with would stay otherwise. */
const LEASES_KEPT = 4096;

type OnDatagram = UdpLease['onDatagram'];

/** The leases that this process knows, by id; the sockets are the node's. */
export class Leases {
  readonly #rpc: () => Rpc;
  readonly #leases = new Map<string, Lease>();
  readonly #receivers = new Map<string, NonNullable<OnDatagram>>();

  constructor(rpc: () => Rpc) {
    this.#rpc = rpc;
  }

  /** The one object for a lease. */
  get(info: LeaseInfo): Lease {
    const known = this.#leases.get(info.id);
    if (known) return known;
    const lease = info.protocol === 'udp' ? this.#udp(info) : this.#tcp(info);
    this.#leases.set(info.id, lease);
    const [oldest] = this.#leases.keys();
    if (oldest !== undefined && this.#leases.size > LEASES_KEPT) this.#leases.delete(oldest);
    return lease;
  }

  sockets(scope: number): Sockets {
    const open = async (protocol: 'udp' | 'tcp', options: object | undefined): Promise<Lease[]> => {
      const infos = (await this.#rpc().call('sockets.open', {
        scope,
        protocol,
        ...options,
      })) as readonly LeaseInfo[];
      return infos.map((info) => this.get(info));
    };
    return {
      openUdp: async (options) => (await open('udp', options)) as UdpLease[],
      openTcp: async (options) => (await open('tcp', options)) as TcpLease[],
    };
  }

  deliver(id: string, payload: string, from: Endpoint): void {
    this.#receivers.get(id)?.(Buffer.from(payload, 'base64'), from);
  }

  forget(leases: readonly Lease[]): void {
    for (const { id } of leases) {
      this.#leases.delete(id);
      this.#receivers.delete(id);
    }
  }

  #base({
    id,
    local,
  }: LeaseInfo): Pick<Lease, 'id' | 'local' | 'reflexive' | 'mapped' | typeof Symbol.dispose> {
    return {
      id,
      local,
      reflexive: async (signal) =>
        (await this.#rpc().call('lease.reflexive', { lease: id }, signal)) as Endpoint,
      mapped: async (signal) =>
        ((await this.#rpc().call('lease.mapped', { lease: id }, signal)) as Endpoint | null) ?? undefined,
      [Symbol.dispose]: () => {
        this.#leases.delete(id);
        this.#receivers.delete(id);
        this.#rpc().notify('lease.dispose', { lease: id });
      },
    };
  }

  #udp(info: LeaseInfo): UdpLease {
    const { id } = info;
    const rpc = this.#rpc;
    const receivers = this.#receivers;
    const encode = ({ payload, ...packet }: ScheduledPacket): object => ({
      ...packet,
      ...(payload ? { payload: Buffer.from(payload).toString('base64') } : {}),
    });
    return {
      ...this.#base(info),
      protocol: 'udp',
      schedule: (packets) =>
        running((signal) =>
          rpc().call('lease.schedule', { lease: id, packets: packets.map(encode) }, signal),
        ),
      sweep: (sweep) => running((signal) => rpc().call('lease.sweep', { lease: id, sweep }, signal)),
      get onDatagram() {
        return receivers.get(id) ?? null;
      },
      set onDatagram(receiver: OnDatagram) {
        const was = receivers.has(id);
        if (receiver) receivers.set(id, receiver);
        else receivers.delete(id);
        if (was !== (receiver !== null)) rpc().notify('lease.receive', { lease: id, on: receiver !== null });
      },
    };
  }

  #tcp(info: LeaseInfo): TcpLease {
    const rpc = this.#rpc;
    return {
      ...this.#base(info),
      protocol: 'tcp',
      dial: async (to, options) =>
        (await rpc().call('lease.dial', { lease: info.id, to, ...options })) as Awaited<
          ReturnType<TcpLease['dial']>
        >,
      listen: async () => void (await rpc().call('lease.listen', { lease: info.id })),
    };
  }
}
