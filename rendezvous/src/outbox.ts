import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { encodeFrame, type ServerMessage } from '@awl/wire';
import type { RendezvousLimits, ServerClock } from './options.ts';

/** After the last message the other side has so long to read it. */
const LINGER_MS = 2000;

/** What goes to one peer: bounded, and closed when the peer reads nothing for too long. */
export class Outbox {
  readonly #socket: Duplex;
  readonly #clock: ServerClock;
  readonly #limits: RendezvousLimits;
  #ending = false;

  constructor(socket: Duplex, clock: ServerClock, limits: RendezvousLimits) {
    this.#socket = socket;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** The last message has been said. */
  get ending(): boolean {
    return this.#ending;
  }

  /** An answer. Waits for a peer that reads slowly, so that no more of its requests are read meanwhile. */
  async send(message: ServerMessage): Promise<void> {
    this.#write(encodeFrame(message));
    await this.#drained();
  }

  /** Many frames that belong together: nothing comes between them. */
  async sendAll(frames: readonly Buffer[]): Promise<void> {
    for (const frame of frames) this.#write(frame);
    await this.#drained();
  }

  /** What the peer did not ask for; false when too much waits for it. */
  push(frame: Buffer): boolean {
    if (!this.#isOpen || this.#socket.writableLength + frame.length > this.#limits.queueBytes) return false;
    this.#socket.write(frame);
    return true;
  }

  /** Says a last message and closes. */
  end(message: ServerMessage): void {
    if (this.#ending) return;
    this.#ending = true;
    if (this.#socket.writable) this.#socket.end(encodeFrame(message));
    const linger = this.#clock.schedule(LINGER_MS, () => this.#socket.destroy());
    this.#socket.once('close', () => linger[Symbol.dispose]());
  }

  get #isOpen(): boolean {
    return this.#socket.writable && !this.#ending;
  }

  #write(frame: Buffer): void {
    if (this.#isOpen) this.#socket.write(frame);
  }

  async #drained(): Promise<void> {
    if (this.#socket.destroyed || !this.#socket.writableNeedDrain) return;
    using _stalled = this.#clock.schedule(this.#limits.stalledMs, () => this.#socket.destroy());
    const over = new AbortController();
    const { signal } = over;
    await Promise.race([
      once(this.#socket, 'drain', { signal }),
      once(this.#socket, 'close', { signal }),
    ]).catch(() => undefined);
    over.abort();
  }
}
