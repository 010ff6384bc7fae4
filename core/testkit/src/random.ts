import type { Random } from '@awl/api';

/**
 * A repeatable generator (xoshiro128**, Blackman and Vigna 2018) whose sub-streams are independent of each other and of how much was drawn:
 * `fork('nat')` gives the same numbers wherever it stands.
 */
export class SeededRandom implements Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    let state = this.seed;
    const mix = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let word = state;
      word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      return (word ^ (word >>> 15)) >>> 0;
    };
    this.#a = mix();
    this.#b = mix();
    this.#c = mix();
    this.#d = mix() | 1;
  }

  /** The sub-stream of this name. */
  fork(name: string): SeededRandom {
    let hash = this.seed ^ 0x811c9dc5;
    for (let index = 0; index < name.length; index++)
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
    return new SeededRandom(hash);
  }

  next(): number {
    return (this.#word() * 0x200000 + (this.#word() >>> 11)) / 0x20000000000000;
  }

  integer(below: number): number {
    return Math.floor(this.next() * below);
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index++) bytes[index] = this.#word() >>> 24;
    return bytes;
  }

  #word(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }
}
