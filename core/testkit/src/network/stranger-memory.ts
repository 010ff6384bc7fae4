/** How long an unsolicited packet is remembered: the kernel's `nf_conntrack_udp_timeout`. */
const REMEMBERED_MS = 30_000;
const REMEMBERED_MAX = 65_536;

/** What a NAT remembers of unsolicited packets: from whom, and to which of its endpoints. */
export class StrangerMemory {
  readonly #expiries = new Map<number, number>();

  /** When full, it learns no more until the oldest are forgotten. */
  remember(remote: number, external: number, nowMs: number): void {
    if (this.#expiries.size >= REMEMBERED_MAX) {
      for (const [key, expiresAtMs] of this.#expiries) if (expiresAtMs <= nowMs) this.#expiries.delete(key);
      if (this.#expiries.size >= REMEMBERED_MAX) return;
    }
    this.#expiries.set(keyOf(remote, external), nowMs + REMEMBERED_MS);
  }

  knows(remote: number, external: number, nowMs: number): boolean {
    return (this.#expiries.get(keyOf(remote, external)) ?? 0) > nowMs;
  }
}

/** Remote and port fit a double's integers: 15 bits of address number, and twice 16 of port. */
function keyOf(remote: number, external: number): number {
  return remote * 65536 + (external % 65536);
}
