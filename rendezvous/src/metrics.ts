import { Counter, Gauge, Registry } from 'prom-client';

/** What the server counts. The registry is its own, so that an embedding process keeps its metrics apart. */
export class Metrics {
  readonly registry = new Registry();
  readonly #stun = new Counter({
    name: 'awl_rendezvous_stun_requests_total',
    help: 'STUN packets by transport and outcome',
    labelNames: ['transport', 'outcome'] as const,
    registers: [this.registry],
  });
  readonly stun = {
    udp: this.#stunOutcomes('udp'),
    tcp: this.#stunOutcomes('tcp'),
  };
  readonly signals = new Counter({
    name: 'awl_rendezvous_signals_total',
    help: 'Sealed messages by outcome',
    labelNames: ['outcome'] as const,
    registers: [this.registry],
  });
  readonly refused = new Counter({
    name: 'awl_rendezvous_refused_total',
    help: 'Connections and requests refused, by code',
    labelNames: ['code'] as const,
    registers: [this.registry],
  });

  constructor(peersOnline: () => number) {
    const gauge = new Gauge({
      name: 'awl_rendezvous_peers_online',
      help: 'Peers registered now',
      registers: [],
      collect() {
        this.set(peersOnline());
      },
    });
    this.registry.registerMetric(gauge);
  }

  #stunOutcomes(transport: 'udp' | 'tcp') {
    const outcome = (name: string) => this.#stun.labels(transport, name);
    return { answered: outcome('answered'), ignored: outcome('ignored'), limited: outcome('limited') };
  }
}
