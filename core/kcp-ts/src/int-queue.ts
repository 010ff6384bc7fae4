/** A first-in, first-out queue of 32-bit integers in a typed array that grows. Entries have running numbers, which wrap at 2³². */
export class IntQueue {
  #items = new Int32Array(256);
  /** Number of the first entry. */
  head = 0;
  /** Number of the next entry to be added. */
  tail = 0;

  get length(): number {
    return (this.tail - this.head) | 0;
  }

  /** The first entry; only when there is one. */
  first(): number {
    return this.#items[this.head & (this.#items.length - 1)]!;
  }

  shift(): void {
    this.head = (this.head + 1) | 0;
  }

  /** Adds an entry: its number. */
  push(value: number): number {
    if (this.length === this.#items.length) this.#grow();
    this.#items[this.tail & (this.#items.length - 1)] = value;
    const number = this.tail;
    this.tail = (this.tail + 1) | 0;
    return number;
  }

  #grow(): void {
    const items = new Int32Array(this.#items.length * 2);
    for (let at = this.head; at !== this.tail; at = (at + 1) | 0) {
      items[at & (items.length - 1)] = this.#items[at & (this.#items.length - 1)]!;
    }
    this.#items = items;
  }
}
