import type { Clock, Endpoint } from '@awl/api';
import type { SessionStream } from '../session/stream.ts';
import type { Session } from '../session/session.ts';

/** An idle flow is forgotten after this (RFC 4787 §4.3 wants no less of a NAT). */
const IDLE_MS = 120_000;
/** Flows of one session, both sides' together. */
export const FLOWS_MAX = 1024;

/**
 * Datagrams of one local program and one target: a stream says what they are for and how long they go on, the datagrams themselves go
 * beside it, unreliably, on a channel of their own.
 */
export class UdpFlow implements Disposable {
  readonly #session: Session;
  readonly #channel: number;
  readonly #control: SessionStream;
  readonly #clock: Clock;
  readonly #onEnd = new Set<() => void>();
  #usedAt: number;
  #timer: Disposable | undefined;
  #ended = false;
  /** A datagram of the other side. */
  onDatagram: ((payload: Buffer) => void) | null = null;

  constructor(parts: {
    readonly session: Session;
    readonly channel: number;
    readonly control: SessionStream;
    readonly clock: Clock;
    readonly onEnd: () => void;
  }) {
    this.#session = parts.session;
    this.#channel = parts.channel;
    this.#control = parts.control;
    this.#clock = parts.clock;
    this.#onEnd.add(parts.onEnd);
    this.#usedAt = parts.clock.now();
    this.#control.on('close', () => this[Symbol.dispose]());
    this.#control.resume();
    this.#watch();
  }

  send(payload: Uint8Array): void {
    this.#usedAt = this.#clock.now();
    this.#session.sendDatagram(this.#channel, payload);
  }

  receive(payload: Buffer): void {
    this.#usedAt = this.#clock.now();
    this.onDatagram?.(payload);
  }

  /** Called once, when the flow is over. */
  onEnded(listener: () => void): void {
    this.#onEnd.add(listener);
  }

  #watch(): void {
    this.#timer = this.#clock.schedule(IDLE_MS / 2, () => {
      if (this.#clock.now() - this.#usedAt > IDLE_MS) this[Symbol.dispose]();
      else this.#watch();
    });
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.[Symbol.dispose]();
    this.#control.destroy();
    for (const listener of this.#onEnd) listener();
  }
}

/** The flows of one session, by channel. The opener's role makes its channels even or odd, so that both sides can open some. */
export class UdpFlows {
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #flows = new Map<number, UdpFlow>();
  #next: number;

  constructor(session: Session, clock: Clock) {
    this.#session = session;
    this.#clock = clock;
    this.#next = session.role === 'controlling' ? 2 : 1;
    session.onDatagram = (channel, payload) => this.#flows.get(channel)?.receive(payload);
  }

  /** A free channel for a flow that this side opens. */
  nextChannel(): number {
    const channel = this.#next;
    this.#next += 2;
    return channel;
  }

  /** Undefined when there are too many, or the channel is taken. */
  add(channel: number, control: SessionStream): UdpFlow | undefined {
    if (this.#flows.size >= FLOWS_MAX || this.#flows.has(channel)) return undefined;
    const flow = new UdpFlow({
      session: this.#session,
      channel,
      control,
      clock: this.#clock,
      onEnd: () => this.#flows.delete(channel),
    });
    this.#flows.set(channel, flow);
    return flow;
  }
}

/** Equal for datagrams of one local program. */
export function flowKey({ address, port }: Endpoint): string {
  return `${address} ${port}`;
}
