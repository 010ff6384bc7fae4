import { duplexPair, Transform, type Duplex, type TransformCallback } from 'node:stream';

/** Passes bytes on until a number of them has passed, then destroys both ends in the middle of a chunk. */
class Cutter extends Transform {
  #left: number;
  readonly #cut: () => void;

  constructor(afterBytes: number, cut: () => void) {
    super({ writableHighWaterMark: 4096, readableHighWaterMark: 4096 });
    this.#left = afterBytes;
    this.#cut = cut;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    if (chunk.length < this.#left) {
      this.#left -= chunk.length;
      return callback(null, chunk);
    }
    this.push(chunk.subarray(0, this.#left));
    this.#left = Infinity;
    setImmediate(this.#cut);
  }
}

/** An in-memory path that breaks after so many bytes went from its first end to its second, or the other way. */
export function cutPair(afterBytes: number, forward: boolean): [Duplex, Duplex] {
  const [a, aOuter] = duplexPair();
  const [b, bOuter] = duplexPair();
  const cut = (): void => {
    for (const end of [a, b, aOuter, bOuter]) end.destroy();
  };
  for (const end of [a, b, aOuter, bOuter]) end.on('error', () => {});
  const there = new Cutter(forward ? afterBytes : Infinity, cut);
  const back = new Cutter(forward ? Infinity : afterBytes, cut);
  aOuter.pipe(there).pipe(bOuter);
  bOuter.pipe(back).pipe(aOuter);
  for (const end of [a, b]) end.on('close', () => setImmediate(cut));
  return [a, b];
}

/** A seeded generator (mulberry32), so that a failure can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
