import type { Clock } from '@awl/api';

/** So many bytes are confirmed at once, or what there is after the delay. */
const ACK_BYTES = 256 * 1024;
const ACK_DELAY_MS = 20;

/** How far the peer's byte stream has come, whatever path brought it, and when to confirm it. */
export class ReceiveLog implements Disposable {
  readonly #clock: Clock;
  readonly #confirm: (received: number) => boolean;
  #received = 0;
  #confirmed = 0;
  #timer: Disposable | undefined;

  /** @param confirm tells the peer; false when there is no path for it */
  constructor(clock: Clock, confirm: (received: number) => boolean) {
    this.#clock = clock;
    this.#confirm = confirm;
  }

  /** We have everything before this offset. */
  get received(): number {
    return this.#received;
  }

  /** What is new in a chunk: all, its end, or nothing when it was sent again. Undefined when something before it is missing. */
  accept(offset: number, chunk: Buffer): Buffer | undefined {
    const seenBytes = this.#received - offset;
    if (seenBytes < 0) return undefined;
    const fresh = seenBytes === 0 ? chunk : chunk.subarray(Math.min(seenBytes, chunk.length));
    this.#received += fresh.length;
    if (this.#received - this.#confirmed >= ACK_BYTES) this.#send();
    else this.#timer ??= this.#clock.schedule(ACK_DELAY_MS, () => this.#send());
    return fresh;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #send(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#received > this.#confirmed && this.#confirm(this.#received)) this.#confirmed = this.#received;
  }
}
