import type { Clock } from '@awl/api';
import { FIRST_DATAGRAM_BYTES } from './udp-channel.ts';

/** An answer must be here by then (PROBE_TIMER of RFC 8899 §5.1.1: at least 1 s). */
const PROBE_MS = 1000;
/** When a search that ended below the most is made again (PMTU_RAISE_TIMER). By then the system has forgotten, too, what it learned. */
const RAISE_MS = 600_000;
/** Confirmations in a row that stay away when large datagrams no longer pass (MAX_PROBES). */
const MAX_PROBES = 3;

/** Sizes of IP packets worth a probe: what tunnels, PPPoE and Ethernet leave, then jumbo frames, then what only memory carries. */
const PACKET_BYTES = [1400, 1440, 1480, 1492, 1500, 4000, 9000, 16_536];
/** The largest IP packet to count on where nothing is known of the links. */
export const ETHERNET_MTU_BYTES = 1500;

const UDP_HEADER_BYTES = 8;
const IP_HEADER_BYTES = { 4: 20, 6: 40 };

/** What a link with this MTU leaves for a UDP payload. */
export function payloadBytes(mtuBytes: number, family: 4 | 6): number {
  return mtuBytes - IP_HEADER_BYTES[family] - UDP_HEADER_BYTES;
}

export interface PathMtuParts {
  readonly clock: Clock;
  readonly family: 4 | 6;
  /** MTU of the first link: probes stay within it, or the system would cut them into fragments. */
  readonly linkMtuBytes: number;
  /** Sends an authenticated probe with a UDP payload of at most this size, which the peer answers by a small packet. */
  readonly probe: (payloadBytes: number, onAnswer: () => void) => void;
  /** The largest UDP payload changed. */
  readonly onChange: (payloadBytes: number) => void;
  /** Whether datagrams above the base size left since the last call. */
  readonly inUse: () => boolean;
}

/**
 * Datagram packetization layer path MTU discovery (RFC 8899): what the path carries beyond the base of 1200 bytes. The search goes upward, one
 * probe a size, and stops at the first that is not answered: after an ICMP message the system would send the next one in fragments, whose
 * arrival says nothing. While large datagrams are in use their size is confirmed again and again, so that a path that comes to swallow them (a
 * black hole) is noticed before it counts as dead.
 */
export class PathMtu implements Disposable {
  readonly #parts: PathMtuParts;
  readonly #sizes: readonly number[];
  /** Sizes up to this index have passed; −1: only the base. */
  #confirmed = -1;
  #unanswered = 0;
  /** The newest probe: older answers are late. */
  #round = 0;
  #timer: Disposable | undefined;

  constructor(parts: PathMtuParts) {
    this.#parts = parts;
    this.#sizes = PACKET_BYTES.filter((bytes) => bytes <= parts.linkMtuBytes)
      .map((bytes) => payloadBytes(bytes, parts.family))
      .filter((bytes) => bytes > FIRST_DATAGRAM_BYTES);
    this.#search();
  }

  /** The largest UDP payload that is known to pass. */
  get sizeBytes(): number {
    return this.#sizes[this.#confirmed] ?? FIRST_DATAGRAM_BYTES;
  }

  /** Probes the next size (the Search state). */
  #search(): void {
    const next = this.#sizes[this.#confirmed + 1];
    if (next === undefined) return this.#complete(Infinity);
    this.#probe(
      next,
      () => {
        this.#confirmed++;
        this.#parts.onChange(this.sizeBytes);
        this.#search();
      },
      () => this.#complete(this.#parts.clock.now() + RAISE_MS),
    );
  }

  /** The search is over until `raiseAt` (the Search Complete state). */
  #complete(raiseAt: number): void {
    this.#unanswered = 0;
    this.#wait(raiseAt);
  }

  #wait(raiseAt: number): void {
    this.#timer = this.#parts.clock.schedule(PROBE_MS, () => {
      if (this.#parts.clock.now() >= raiseAt) return this.#search();
      if (this.#confirmed < 0 || (!this.#parts.inUse() && this.#unanswered === 0)) return this.#wait(raiseAt);
      this.#probe(
        this.sizeBytes,
        () => {
          this.#unanswered = 0;
          this.#wait(raiseAt);
        },
        () => {
          if (++this.#unanswered < MAX_PROBES) return this.#wait(raiseAt);
          this.#confirmed = -1;
          this.#parts.onChange(this.sizeBytes);
          this.#complete(this.#parts.clock.now() + RAISE_MS);
        },
      );
    });
  }

  #probe(sizeBytes: number, onAnswer: () => void, onSilence: () => void): void {
    const round = ++this.#round;
    this.#timer = this.#parts.clock.schedule(PROBE_MS, () => {
      this.#round++;
      onSilence();
    });
    this.#parts.probe(sizeBytes, () => {
      if (round !== this.#round) return;
      this.#round++;
      this.#timer?.[Symbol.dispose]();
      onAnswer();
    });
  }

  [Symbol.dispose](): void {
    this.#round++;
    this.#timer?.[Symbol.dispose]();
  }
}
