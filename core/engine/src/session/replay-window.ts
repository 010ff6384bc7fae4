/** Bits of the window; a power of two. Counters this far behind the newest are still told apart. */
const WINDOW_BITS = 2048;
const WORDS = WINDOW_BITS / 32;

/**
 * Which counters were seen (RFC 4303 §3.4.3), as a ring of words that is cleared word by word and never shifted (RFC 6479). Counters are
 * numbers: 2^53 are enough for 280 years at a million a second.
 */
export class ReplayWindow {
  readonly #words = new Uint32Array(WORDS);
  #newest = -1;

  /** True if this counter was not seen and is not too old to tell. Changes nothing: the packet is not authenticated yet. */
  accepts(counter: number): boolean {
    if (counter > this.#newest) return true;
    // The word of the newest counter is shared with the oldest ones; those are given up.
    if (Math.floor(this.#newest / 32) - Math.floor(counter / 32) >= WORDS) return false;
    return (this.#words[this.#word(counter)]! & (1 << (counter % 32))) === 0;
  }

  /** Marks an authenticated counter that `accepts` took. */
  mark(counter: number): void {
    if (counter > this.#newest) {
      const from = Math.floor(this.#newest / 32);
      const steps = Math.min(Math.floor(counter / 32) - from, WORDS);
      for (let step = 1; step <= steps; step++) this.#words[(from + step + WORDS) % WORDS] = 0;
      this.#newest = counter;
    }
    this.#words[this.#word(counter)]! |= 1 << (counter % 32);
  }

  #word(counter: number): number {
    return Math.floor(counter / 32) % WORDS;
  }
}
