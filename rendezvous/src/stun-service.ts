import { decodeStun, type StunAddress } from '@awl/wire';
import type { Metrics } from './metrics.ts';
import type { RendezvousLimits, ServerClock } from './options.ts';
import { networkKey, RateLimit } from './rate-limit.ts';
import { answerStun, type StunAnswer } from './stun-answer.ts';
import type { Site, Topology } from './topology.ts';

/** Requests and rates: all of STUN but the sockets. */
export class StunService {
  readonly #topology: Topology;
  readonly #metrics: Metrics;
  readonly #clock: ServerClock;
  readonly #perNetwork: RateLimit;
  readonly #total: RateLimit;

  constructor(topology: Topology, metrics: Metrics, clock: ServerClock, limits: RendezvousLimits) {
    this.#topology = topology;
    this.#metrics = metrics;
    this.#clock = clock;
    this.#perNetwork = new RateLimit(limits.stunPerSecond, limits.stunBurst);
    this.#total = new RateLimit(limits.stunPerSecondTotal, limits.stunPerSecondTotal);
  }

  /** The answer to a packet, or undefined where it gets none. */
  answer(packet: Buffer, from: StunAddress, at: Site, transport: 'udp' | 'tcp'): StunAnswer | undefined {
    const outcomes = this.#metrics.stun[transport];
    const request = decodeStun(packet);
    const answer = request && answerStun(request, from, at, this.#topology, transport);
    if (!answer) {
      outcomes.ignored.inc();
      return undefined;
    }
    // An answer larger than its request could be aimed at a victim by a forged source: it costs its gain.
    const cost = transport === 'udp' ? Math.max(1, answer.packet.length / packet.length) : 1;
    const now = this.#clock.now();
    if (
      this.#total.take('', now, cost) > 0 ||
      this.#perNetwork.take(networkKey(from.address), now, cost) > 0
    ) {
      outcomes.limited.inc();
      return undefined;
    }
    outcomes.answered.inc();
    return answer;
  }
}
