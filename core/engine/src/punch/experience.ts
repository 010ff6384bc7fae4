import type { BehaviourVector, Pair } from '@awl/api';

/** Pairs of networks remembered; the ones not met for longest are forgotten first. */
const PAIRS_REMEMBERED = 256;

/** Which strategy won between two kinds of networks, from this one: it starts at once the next time, whatever it costs. */
export class Experience {
  readonly #winners = new Map<string, string>();

  learn(pair: Pair, strategy: string): void {
    const key = keyOf(pair);
    this.#winners.delete(key);
    this.#winners.set(key, strategy);
    if (this.#winners.size > PAIRS_REMEMBERED) this.#winners.delete(this.#winners.keys().next().value ?? '');
  }

  /** What won last; undefined for a pair not met before. */
  winner(pair: Pair): string | undefined {
    return this.#winners.get(keyOf(pair));
  }

  /** Another network: what was learned does not hold here. */
  forget(): void {
    this.#winners.clear();
  }
}

function keyOf({ local, remote, sameLan }: Pair): string {
  return `${kindOf(local)} ${kindOf(remote)} ${sameLan}`;
}

function kindOf({ udp, tcp }: BehaviourVector): string {
  return [udp, tcp]
    .map(({ blocked, natted, mapping, filtering, allocation }) =>
      [blocked, natted, mapping, filtering, allocation].join('/'),
    )
    .join('+');
}
