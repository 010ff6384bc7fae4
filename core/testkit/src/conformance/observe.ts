import type {
  Assessment,
  Attempt,
  Budget,
  JsonValue,
  Lease,
  Pair,
  Preparation,
  PunchOutcome,
  PunchStrategy,
  Running,
  Sockets,
  TcpLease,
  UdpLease,
} from '@awl/api';

/** What one run of a strategy did, on one side. Times are milliseconds after the agreed start. */
export interface Observation {
  /** Leases opened, by the phase that opened them. */
  readonly opened: { prepare: number; punch: number };
  /** Leases that `prepare` opened and neither returned nor disposed. */
  lostLeases: number;
  /** Packets and dials asked for. */
  probesAsked: number;
  budget: Budget | undefined;
  startedAtMs: number | undefined;
  endedAtMs: number | undefined;
  outcome: PunchOutcome | undefined;
  /** What `prepare` or `punch` threw. */
  thrown: { readonly where: 'prepare' | 'punch'; readonly error: unknown } | undefined;
  abortedAtMs: number | undefined;
  /** Schedules and sweeps still running when `punch` had returned. */
  leftRunning: number;
  /** Requests to send made after `punch` had returned. */
  lateRequests: number;
  advert: JsonValue | undefined;
  /** What it was asked about, and what it made of it. */
  assessed: { readonly pair: Pair; readonly assessment: Assessment } | undefined;
}

/** What the watched run is made to meet. */
export interface Interference {
  /** In place of the engine's budget. */
  readonly budget?: Partial<Budget>;
  /** In place of what the peer's strategy said. */
  readonly peerAdvert?: JsonValue | undefined;
}

export function newObservation(): Observation {
  return {
    opened: { prepare: 0, punch: 0 },
    lostLeases: 0,
    probesAsked: 0,
    budget: undefined,
    startedAtMs: undefined,
    endedAtMs: undefined,
    outcome: undefined,
    thrown: undefined,
    abortedAtMs: undefined,
    leftRunning: 0,
    lateRequests: 0,
    advert: undefined,
    assessed: undefined,
  };
}

/** The same strategy, with everything it does written down. */
export function observed(
  strategy: PunchStrategy,
  seen: Observation,
  interference: Interference = {},
): PunchStrategy {
  const watch = new Watch(seen);
  return {
    id: strategy.id,
    assess: async (pair) => {
      const assessment = await strategy.assess(pair);
      seen.assessed = { pair, assessment };
      return assessment;
    },
    ...(strategy.prepare && {
      prepare: async (context) => {
        try {
          const prepared = await strategy.prepare!({
            ...context,
            sockets: watch.sockets(context.sockets, 'prepare'),
          });
          return watch.prepared(prepared);
        } catch (error) {
          seen.thrown = { where: 'prepare', error };
          throw error;
        }
      },
    }),
    punch: async (attempt) => {
      seen.budget = { ...attempt.budget, ...interference.budget };
      seen.startedAtMs = attempt.clock.now();
      attempt.signal.addEventListener('abort', () => (seen.abortedAtMs ??= attempt.clock.now()));
      try {
        const outcome = await strategy.punch(watch.attempt(attempt, seen.budget, interference));
        seen.outcome = outcome;
        return outcome.outcome === 'connected'
          ? { ...outcome, check: { ...outcome.check, lease: watch.original(outcome.check.lease) } }
          : outcome;
      } catch (error) {
        seen.thrown = { where: 'punch', error };
        throw error;
      } finally {
        seen.endedAtMs = attempt.clock.now();
        seen.leftRunning = watch.running;
      }
    },
  };
}

/** Stands between a strategy and its leases. */
class Watch {
  readonly #seen: Observation;
  readonly #open = new Set<Lease>();
  readonly #originals = new Map<Lease, Lease>();
  readonly #watched = new Map<Lease, Lease>();
  running = 0;

  constructor(seen: Observation) {
    this.#seen = seen;
  }

  sockets(sockets: Sockets, phase: 'prepare' | 'punch'): Sockets {
    return {
      openUdp: async (wish) => {
        this.#seen.opened[phase] += wish?.count ?? 1;
        return (await sockets.openUdp(wish)).map((lease) => this.#udp(lease));
      },
      openTcp: async (wish) => {
        this.#seen.opened[phase] += wish?.count ?? 1;
        return (await sockets.openTcp(wish)).map((lease) => this.#tcp(lease));
      },
    };
  }

  prepared({ leases, advert }: Preparation): Preparation {
    this.#seen.advert = advert;
    this.#seen.lostLeases = [...this.#open].filter((lease) => !leases.includes(lease)).length;
    return { leases: leases.map((lease) => this.original(lease)), ...(advert !== undefined && { advert }) };
  }

  attempt(attempt: Attempt, budget: Budget, interference: Interference): Attempt {
    return {
      ...attempt,
      budget,
      peerAdvert: 'peerAdvert' in interference ? interference.peerAdvert : attempt.peerAdvert,
      leases: attempt.leases.map(
        (lease) =>
          this.#watched.get(lease) ?? (lease.protocol === 'udp' ? this.#udp(lease) : this.#tcp(lease)),
      ),
      sockets: this.sockets(attempt.sockets, 'punch'),
      nextCheck: async (timeoutMs) => {
        const check = await attempt.nextCheck(timeoutMs);
        return check && { ...check, lease: this.#watched.get(check.lease) ?? check.lease };
      },
    };
  }

  /** The engine knows leases by identity: it gets its own back. */
  original(lease: Lease): Lease {
    return this.#originals.get(lease) ?? lease;
  }

  #asks(probes: number): void {
    this.#seen.probesAsked += probes;
    if (this.#seen.endedAtMs !== undefined) this.#seen.lateRequests++;
  }

  #runs(running: Running): Running {
    this.running++;
    void running.done.then(() => this.running--);
    return running;
  }

  #udp(lease: UdpLease): UdpLease {
    const watched: UdpLease = overridden(lease, {
      schedule: (packets: Parameters<UdpLease['schedule']>[0]) => {
        this.#asks(packets.length);
        return this.#runs(lease.schedule(packets));
      },
      sweep: (sweep: Parameters<UdpLease['sweep']>[0]) => {
        this.#asks(sweep.count);
        return this.#runs(lease.sweep(sweep));
      },
      [Symbol.dispose]: () => this.#dispose(watched),
    });
    return this.#register(watched, lease);
  }

  #tcp(lease: TcpLease): TcpLease {
    const watched: TcpLease = overridden(lease, {
      dial: (...call: Parameters<TcpLease['dial']>) => {
        this.#asks(1);
        return lease.dial(...call);
      },
      [Symbol.dispose]: () => this.#dispose(watched),
    });
    return this.#register(watched, lease);
  }

  #register<T extends Lease>(watched: T, original: T): T {
    this.#open.add(watched);
    this.#originals.set(watched, original);
    this.#watched.set(original, watched);
    return watched;
  }

  #dispose(watched: Lease): void {
    this.#open.delete(watched);
    this.original(watched)[Symbol.dispose]();
  }
}

/** `target` with some methods in the place of its own. All else goes to it, as its own `this`. */
function overridden<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      if (Object.hasOwn(methods, name)) return Reflect.get(methods, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (_, name, value) => Reflect.set(target, name, value, target),
  });
}
