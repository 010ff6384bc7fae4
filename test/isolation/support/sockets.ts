import type { Endpoint, Lease, ScheduledPacket, Sockets, Sweep, TcpLease, UdpLease } from '@awl/api';

/** Sockets that only remember what was asked of them. */
export class FakeSockets implements Sockets {
  readonly open = new Map<string, Lease>();
  readonly scheduled: ScheduledPacket[] = [];
  readonly sweeps: Sweep[] = [];
  readonly dials: Endpoint[] = [];
  stopped = 0;
  #next = 1;

  openUdp({ count = 1 }: { readonly count?: number } = {}): Promise<UdpLease[]> {
    return Promise.resolve(Array.from({ length: count }, () => this.#udp()));
  }

  openTcp({ count = 1 }: { readonly count?: number } = {}): Promise<TcpLease[]> {
    return Promise.resolve(Array.from({ length: count }, () => this.#tcp()));
  }

  #base(): Pick<Lease, 'id' | 'local' | 'reflexive' | 'mapped' | typeof Symbol.dispose> {
    const port = 40_000 + this.#next++;
    const id = `lease-${port}`;
    return {
      id,
      local: { address: '192.0.2.1', port },
      mapped: () => Promise.resolve(undefined),
      reflexive: () => Promise.resolve({ address: '203.0.113.1', port }),
      [Symbol.dispose]: () => void this.open.delete(id),
    };
  }

  #udp(): UdpLease {
    const lease: UdpLease = {
      ...this.#base(),
      protocol: 'udp',
      schedule: (packets) => {
        this.scheduled.push(...packets);
        return { done: Promise.resolve(packets.length), [Symbol.dispose]: () => {} };
      },
      sweep: (sweep) => {
        this.sweeps.push(sweep);
        const { promise, resolve } = Promise.withResolvers<number>();
        return {
          done: promise,
          [Symbol.dispose]: () => {
            this.stopped += 1;
            resolve(1);
          },
        };
      },
      onDatagram: null,
    };
    this.open.set(lease.id, lease);
    return lease;
  }

  #tcp(): TcpLease {
    const lease: TcpLease = {
      ...this.#base(),
      protocol: 'tcp',
      dial: (to) => {
        this.dials.push(to);
        return Promise.resolve('refused');
      },
      listen: () => Promise.resolve(),
    };
    this.open.set(lease.id, lease);
    return lease;
  }
}
