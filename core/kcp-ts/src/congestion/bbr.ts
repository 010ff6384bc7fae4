import type { AckSample, CongestionController } from './controller.ts';

const FIRST_WINDOW = 32;
const MIN_WINDOW = 4;
const STARTUP_GAIN = 2.77;
const DRAIN_GAIN = 0.35;
const WINDOW_GAIN = 2;
/** Pacing gains of one cycle: probe for more, drain what that queued, then cruise. */
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
const BANDWIDTH_ROUNDS = 10;
/** A round counts for at least this long, so that a pause of a busy machine does not pass for a slow path, ms. */
const LEAST_ROUND_MS = 60;
/** What acknowledgements held back may add to the window, at the rate, ms… */
const EXTRA_MAX_MS = 12;
/** …if the mean round trip is not longer than the least by this, above which it is a queue and not the peer's timer, ms. */
const EXTRA_QUEUE_MS = 8;
/** A phase of a cycle must be seen in a rate that is measured over several ms, and so must growth at the start. */
const LEAST_PHASE_MS = 8;
const PHASE_GROWTH = 1.1;
const LEAST_STARTUP_ROUND_MS = 20;
const FULL_GROWTH = 1.25;
const FULL_ROUNDS = 3;
const PROBE_RTT_EVERY_MS = 10_000;
const PROBE_RTT_MS = 200;
/** An event loop answers no sooner than this: shorter round trips must not starve the window, ms. */
const LEAST_RTT_MS = 2;
/** Random loss up to here is not congestion; above it is when a queue has built up as well… */
const LOSS_TOLERATED = 0.02;
const QUEUE_FACTOR = 1.25;
/** …or when it is heavier than any radio link's. */
const LOSS_HEAVY = 0.2;
const LOSS_BETA = 0.7;
/** What the ceiling that congestion set regains each round. */
const CEILING_GROWTH = 1.03;
const LEAST_LOSSES = 8;

type State = 'startup' | 'drain' | 'probe-bandwidth' | 'probe-rtt';

/**
 * A controller after BBR (draft-ietf-ccwg-bbr): it models the path by its delivery rate and its least round trip, paces at that rate and
 * keeps about one bandwidth × delay in flight, so that queues stay short. Random loss does not slow it; loss together with a queue does.
 */
export class Bbr implements CongestionController {
  windowBytes: number;
  pacingBytesPerMs = Infinity;
  #mss: number;
  #state: State = 'startup';
  #pacingGain = STARTUP_GAIN;
  /** Best delivery rate of each of the last rounds, a ring. */
  readonly #rates = new Float64Array(BANDWIDTH_ROUNDS);
  #rate = 0;
  /** Most that came acknowledged at once beyond what the rate explains, in each of the last rounds. */
  readonly #extras = new Float64Array(BANDWIDTH_ROUNDS);
  #extra = 0;
  #epochAt = 0;
  #epochAcked = 0;
  #round = 0;
  #roundAt = 0;
  #roundEnd = 0;
  #fullRate = 0;
  #fullRounds = 0;
  #fullAt = 0;
  #phaseRate = 0;
  #cycle = 0;
  #cycleAt = 0;
  #minRttMs = Infinity;
  #probeRttUntil = 0;
  #probedRttAt = 0;
  #roundLost = 0;
  #roundDelivered = 0;
  #roundQueued = false;
  /** Most that may be in flight after congestion was seen. */
  #ceiling = Infinity;
  #ceilingBefore = Infinity;
  #silent = false;
  readonly #random: () => number;

  /** `random` gives numbers in [0, 1): flows that share a bottleneck should not probe in step. */
  constructor(mssBytes: number, random: () => number) {
    this.#mss = mssBytes;
    this.#random = random;
    this.windowBytes = FIRST_WINDOW * mssBytes;
  }

  setMss(mssBytes: number): void {
    this.#mss = mssBytes;
    this.windowBytes = Math.max(this.windowBytes, MIN_WINDOW * mssBytes);
  }

  onAck(sample: AckSample, now: number): void {
    this.#silent = false;
    this.#minRttMs = sample.minRttMs;
    const roundStart = this.#countRound(sample, now);
    this.#updateRate(sample);
    this.#updateExtra(sample, now);
    this.#roundLost += sample.lostBytes;
    this.#roundDelivered += sample.ackedBytes;
    if (sample.rttMs > this.#floorRtt() * QUEUE_FACTOR + 1) this.#roundQueued = true;
    if (roundStart) this.#onRound(sample, now);
    this.#advance(sample, now);
    this.#apply(sample);
  }

  #countRound(sample: AckSample, now: number): boolean {
    if (sample.ackedBytes === 0 || sample.priorDeliveredBytes < this.#roundEnd) return false;
    this.#roundEnd = sample.deliveredBytes;
    if (now - this.#roundAt < LEAST_ROUND_MS) return true;
    this.#roundAt = now;
    // A round without a sample says nothing about the path: keep what is known alive.
    const at = this.#round % BANDWIDTH_ROUNDS;
    if (this.#rates[at] === 0) this.#rates[at] = this.#rate;
    this.#round++;
    this.#rates[this.#round % BANDWIDTH_ROUNDS] = 0;
    this.#extras[this.#round % BANDWIDTH_ROUNDS] = 0;
    return true;
  }

  #updateRate(sample: AckSample): void {
    const rate = sample.rateBytesPerMs;
    if (rate <= 0 || (sample.appLimited && rate < this.#rate)) return;
    const at = this.#round % BANDWIDTH_ROUNDS;
    if (rate > this.#rates[at]!) this.#rates[at] = rate;
    let best = 0;
    for (let index = 0; index < BANDWIDTH_ROUNDS; index++) best = Math.max(best, this.#rates[index]!);
    this.#rate = best;
  }

  /** A peer that acknowledges once per 10 ms, as the original does, needs that much more in flight than the least round trip says. */
  #updateExtra(sample: AckSample, now: number): void {
    let expected = this.#rate * (now - this.#epochAt);
    if (this.#epochAcked <= expected) {
      this.#epochAt = now;
      this.#epochAcked = 0;
      expected = 0;
    }
    this.#epochAcked += sample.ackedBytes;
    const extra = Math.min(this.#epochAcked - expected, this.windowBytes, this.#rate * EXTRA_MAX_MS);
    const at = this.#round % BANDWIDTH_ROUNDS;
    if (extra > this.#extras[at]!) this.#extras[at] = extra;
    let most = 0;
    for (let index = 0; index < BANDWIDTH_ROUNDS; index++) most = Math.max(most, this.#extras[index]!);
    this.#extra = most;
  }

  #onRound(sample: AckSample, now: number): void {
    const lost = this.#roundLost / Math.max(1, this.#roundLost + this.#roundDelivered);
    const enough = this.#roundLost >= LEAST_LOSSES * this.#mss;
    const congested = enough && (lost > LOSS_HEAVY || (lost > LOSS_TOLERATED && this.#roundQueued));
    this.#roundLost = 0;
    this.#roundDelivered = 0;
    this.#roundQueued = false;
    if (congested) {
      this.#ceilingBefore = this.#ceiling;
      this.#ceiling = Math.max(MIN_WINDOW * this.#mss, Math.min(this.windowBytes, this.#ceiling) * LOSS_BETA);
      if (this.#state === 'startup') this.#fullRounds = FULL_ROUNDS;
    } else if (this.#ceiling < Infinity) {
      this.#ceiling = this.#ceiling > 4 * this.#bdp() ? Infinity : this.#ceiling * CEILING_GROWTH;
    }
    if (this.#state !== 'startup') return;
    if (!congested && (sample.appLimited || now - this.#fullAt < LEAST_STARTUP_ROUND_MS)) return;
    this.#fullAt = now;
    if (this.#rate >= this.#fullRate * FULL_GROWTH) {
      this.#fullRate = this.#rate;
      this.#fullRounds = 0;
    } else {
      this.#fullRounds++;
    }
    if (this.#fullRounds >= FULL_ROUNDS) this.#enter('drain', now);
  }

  #enter(state: State, now: number): void {
    this.#state = state;
    if (state === 'drain') this.#pacingGain = DRAIN_GAIN;
    else if (state === 'probe-rtt') {
      this.#pacingGain = 1;
      this.#probeRttUntil = now + PROBE_RTT_MS;
    } else if (state === 'probe-bandwidth') {
      this.#cycle = 2 + Math.floor(this.#random() * (CYCLE.length - 2));
      this.#cycleAt = now;
      this.#pacingGain = CYCLE[this.#cycle]!;
    } else this.#pacingGain = STARTUP_GAIN;
  }

  #advance(sample: AckSample, now: number): void {
    if (this.#state === 'drain' && sample.inFlightBytes <= this.#bdp()) this.#enter('probe-bandwidth', now);
    if (this.#state === 'probe-bandwidth') this.#turnCycle(sample, now);
    if (this.#state === 'probe-rtt') {
      if (now >= this.#probeRttUntil) {
        this.#probedRttAt = now;
        this.#enter(this.#fullRounds >= FULL_ROUNDS ? 'probe-bandwidth' : 'startup', now);
      }
    } else if (
      now - Math.max(sample.minRttAt, this.#probedRttAt) > PROBE_RTT_EVERY_MS &&
      sample.minRttMs > LEAST_RTT_MS
    ) {
      this.#enter('probe-rtt', now);
    }
  }

  #turnCycle(sample: AckSample, now: number): void {
    const phaseMs = Math.max(this.#floorRtt(), LEAST_PHASE_MS);
    const elapsed = now - this.#cycleAt > phaseMs;
    const gain = this.#pacingGain;
    let over = elapsed;
    if (gain > 1) {
      const filled = sample.lostBytes > 0 || sample.inFlightBytes + sample.ackedBytes >= gain * this.#bdp();
      over = (elapsed && filled) || now - this.#cycleAt > 4 * phaseMs;
    }
    if (gain < 1) over = elapsed || sample.inFlightBytes <= this.#bdp();
    if (!over) return;
    const grown = this.#rate > this.#phaseRate * PHASE_GROWTH;
    this.#phaseRate = this.#rate;
    if (gain > 1 && grown && sample.lostBytes === 0) {
      // There was more: go on probing at once.
      this.#cycleAt = now;
      return;
    }
    this.#cycle = (this.#cycle + 1) % CYCLE.length;
    this.#cycleAt = now;
    this.#pacingGain = CYCLE[this.#cycle]!;
  }

  #floorRtt(): number {
    return Math.max(LEAST_RTT_MS, this.#minRttMs === Infinity ? 100 : this.#minRttMs);
  }

  #bdp(): number {
    return this.#rate * this.#floorRtt();
  }

  #apply(sample: AckSample): void {
    const least = MIN_WINDOW * this.#mss;
    if (this.#rate === 0) {
      this.windowBytes += sample.ackedBytes;
      return;
    }
    this.#pace(sample.smoothedRttMs);
    const bdp = this.#bdp();
    const queueMs = sample.smoothedRttMs - sample.minRttMs;
    const extra = this.#extra * Math.min(1, Math.max(0, 2 - queueMs / EXTRA_QUEUE_MS));
    let window = WINDOW_GAIN * bdp + extra + 3 * this.#mss;
    if (this.#state === 'startup')
      window = Math.max(STARTUP_GAIN * bdp, this.windowBytes, FIRST_WINDOW * this.#mss);
    if (this.#state === 'probe-rtt') window = bdp / 2;
    this.windowBytes = Math.max(least, Math.min(window, this.#ceiling));
  }

  #pace(smoothedRttMs: number): void {
    const least = (MIN_WINDOW * this.#mss) / Math.max(10, smoothedRttMs);
    const rate = Math.max(least, this.#pacingGain * this.#rate);
    if (this.#state === 'startup') {
      // The first samples are of single packets: only ever faster until the pipe is full.
      if (this.pacingBytesPerMs === Infinity) {
        this.pacingBytesPerMs = (STARTUP_GAIN * FIRST_WINDOW * this.#mss) / Math.max(1, smoothedRttMs);
      }
      this.pacingBytesPerMs = Math.max(this.pacingBytesPerMs, rate);
    } else {
      this.pacingBytesPerMs = rate;
    }
  }

  onTimeout(count: number): void {
    if (count < 2 || this.#silent) return;
    this.#silent = true;
    this.windowBytes = MIN_WINDOW * this.#mss;
  }

  onSpuriousLoss(): void {
    this.#ceiling = Math.max(this.#ceiling, this.#ceilingBefore);
  }
}
