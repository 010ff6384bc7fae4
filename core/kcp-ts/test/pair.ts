import { KcpStream, type Clock, type KcpChannel, type KcpStreamOptions } from '../src/index.ts';

interface Task {
  readonly at: number;
  readonly turn: number;
  readonly task: () => void;
}

/** A clock whose time passes only when it is told to. */
export class VirtualClock implements Clock {
  #now = 0;
  #turn = 0;
  readonly #tasks: Task[] = [];

  now(): number {
    return this.#now;
  }

  get pending(): number {
    return this.#tasks.length;
  }

  schedule(delayMs: number, task: () => void): Disposable {
    const entry = { at: this.#now + Math.max(0, delayMs), turn: this.#turn++, task };
    this.#tasks.push(entry);
    return {
      [Symbol.dispose]: () => {
        const index = this.#tasks.indexOf(entry);
        if (index >= 0) this.#tasks.splice(index, 1);
      },
    };
  }

  /** Runs tasks in order of time, letting promises and ticks settle between them, until `done` or `limitMs` has passed. */
  async run(done: () => boolean, limitMs: number): Promise<void> {
    const end = this.#now + limitMs;
    await settle();
    while (!done()) {
      let next: Task | undefined;
      for (const entry of this.#tasks) {
        if (next === undefined || entry.at < next.at || (entry.at === next.at && entry.turn < next.turn))
          next = entry;
      }
      if (next === undefined || next.at > end) {
        this.#now = end;
        return;
      }
      this.#tasks.splice(this.#tasks.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.at);
      next.task();
      await settle();
    }
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Mulberry32: a small seeded generator. */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What a simulated link does to datagrams. */
export interface Link {
  readonly delayMs?: number;
  readonly jitterMs?: number;
  readonly loss?: number;
  readonly duplicate?: number;
  readonly corrupt?: number;
  readonly maxDatagramBytes?: number;
}

class SimulatedChannel implements KcpChannel {
  readonly maxDatagramBytes: number;
  onDatagram: ((datagram: Uint8Array) => void) | null = null;
  peer: SimulatedChannel | null = null;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #link: Link;

  constructor(clock: Clock, random: () => number, link: Link) {
    this.maxDatagramBytes = link.maxDatagramBytes ?? 1400;
    this.#clock = clock;
    this.#random = random;
    this.#link = link;
  }

  send(datagram: Uint8Array): void {
    const { loss = 0, duplicate = 0 } = this.#link;
    if (this.#random() < loss) return;
    this.#deliver(datagram);
    if (this.#random() < duplicate) this.#deliver(datagram);
  }

  #deliver(datagram: Uint8Array): void {
    const { delayMs = 0, jitterMs = 0, corrupt = 0 } = this.#link;
    const copy = Uint8Array.from(datagram);
    if (this.#random() < corrupt) {
      copy[Math.floor(this.#random() * copy.length)]! ^= 1 << Math.floor(this.#random() * 8);
    }
    this.#clock.schedule(delayMs + this.#random() * jitterMs, () => this.peer?.onDatagram?.(copy));
  }
}

/** Two streams joined by a simulated link. */
export function streamPair(
  clock: Clock,
  seed: number,
  link: Link = {},
  options: Partial<KcpStreamOptions> = {},
): [KcpStream, KcpStream] {
  const random = seeded(seed);
  const left = new SimulatedChannel(clock, random, link);
  const right = new SimulatedChannel(clock, random, link);
  left.peer = right;
  right.peer = left;
  return [
    new KcpStream(left, { conv: 7, clock, ...options }),
    new KcpStream(right, { conv: 7, clock, ...options }),
  ];
}
