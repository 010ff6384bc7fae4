import type { Random } from '@awl/api';
import type { AddressId } from './address.ts';
import type { AllocationLaw } from './nat-behaviour.ts';

/** Takes external ports by one law. Which ports are free is for the caller to say. */
export class PortAllocator {
  readonly #law: AllocationLaw;
  readonly #random: Random;
  readonly #low: number;
  readonly #count: number;
  /** contiguous: the next port, as an offset from the lowest. */
  #next: number;
  #lastMs = 0;
  /** block: the blocks of each internal address, as offsets, and its next offset within. */
  readonly #blocks = new Map<AddressId, { readonly starts: number[]; next: number }>();
  readonly #takenBlocks = new Set<number>();

  constructor(law: AllocationLaw, range: readonly [number, number], random: Random) {
    this.#law = law;
    this.#random = random;
    this.#low = range[0];
    this.#count = range[1] - range[0] + 1;
    this.#next = random.integer(this.#count);
  }

  /** A free port for a mapping of `internal`:`wanted`, or 0 where there is none. */
  take(internal: AddressId, wanted: number, isFree: (port: number) => boolean, nowMs: number): number {
    const law = this.#law;
    switch (law.law) {
      case 'identity':
        return wanted;
      case 'preserving':
        if (wanted >= 1024 && isFree(wanted)) return wanted;
        return this.#anywhere(isFree);
      case 'random':
        return this.#anywhere(isFree);
      case 'contiguous':
        this.#advanceForeign(law.step, law.foreignPerSecond, nowMs);
        return this.#stepwise(law.step, isFree);
      default:
        return this.#withinBlocks(law, internal, isFree);
    }
  }

  #anywhere(isFree: (port: number) => boolean): number {
    const start = this.#random.integer(this.#count);
    for (let tries = 0; tries < this.#count; tries++) {
      const port = this.#low + ((start + tries) % this.#count);
      if (isFree(port)) return port;
    }
    return 0;
  }

  #stepwise(step: number, isFree: (port: number) => boolean): number {
    for (let tries = 0; tries < this.#count; tries++) {
      const port = this.#low + this.#next;
      this.#move(step);
      if (isFree(port)) return port;
    }
    return 0;
  }

  #move(by: number): void {
    this.#next = (((this.#next + by) % this.#count) + this.#count) % this.#count;
  }

  /** Other users' mappings since the last one: a Poisson process. */
  #advanceForeign(step: number, perSecond: number, nowMs: number): void {
    const elapsedMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    if (perSecond <= 0) return;
    const meanMs = 1000 / perSecond;
    for (let atMs = this.#exponential(meanMs); atMs < elapsedMs; atMs += this.#exponential(meanMs))
      this.#move(step);
  }

  #exponential(mean: number): number {
    return -Math.log(1 - this.#random.next()) * mean;
  }

  #withinBlocks(
    law: Extract<AllocationLaw, { law: 'block' }>,
    internal: AddressId,
    isFree: (port: number) => boolean,
  ): number {
    let own = this.#blocks.get(internal);
    if (!own) this.#blocks.set(internal, (own = { starts: [], next: 0 }));
    for (;;) {
      const held = own.starts.length * law.size;
      const start = law.within === 'random' ? this.#random.integer(Math.max(1, held)) : own.next;
      for (let tries = 0; tries < held; tries++) {
        const offset = (start + tries) % held;
        const port = this.#low + own.starts[Math.floor(offset / law.size)]! + (offset % law.size);
        if (!isFree(port)) continue;
        own.next = (offset + 1) % held;
        return port;
      }
      const block = own.starts.length < law.blocksPerHost ? this.#freeBlock(law.size) : -1;
      if (block < 0) return 0;
      own.next = held;
      own.starts.push(block * law.size);
    }
  }

  #freeBlock(size: number): number {
    const blocks = Math.floor(this.#count / size);
    const start = this.#random.integer(blocks);
    for (let tries = 0; tries < blocks; tries++) {
      const block = (start + tries) % blocks;
      if (this.#takenBlocks.has(block)) continue;
      this.#takenBlocks.add(block);
      return block;
    }
    return -1;
  }
}
