/**
 * Remembers a router's epoch, the seconds since its table was empty, and tells from the next one whether the router has lost its mappings in
 * between (RFC 6886 §3.6, RFC 6887 §8.5). Pure but for what it remembers.
 */
export class Epoch {
  readonly #lost: (elapsedS: number, before: number, after: number) => boolean;
  #last: { readonly epochS: number; readonly atMs: number } | undefined;

  constructor(protocol: 'nat-pmp' | 'pcp') {
    this.#lost = protocol === 'pcp' ? lostByPcp : lostByNatPmp;
  }

  /** Takes the epoch of a response; true when the router must have restarted since the one before. */
  lost(epochS: number, nowMs: number): boolean {
    const last = this.#last;
    this.#last = { epochS, atMs: nowMs };
    return last !== undefined && this.#lost((nowMs - last.atMs) / 1000, last.epochS, epochS);
  }
}

/** RFC 6886 §3.6: two seconds less than seven eighths of the time that went by. */
function lostByNatPmp(elapsedS: number, before: number, after: number): boolean {
  return after < before + (elapsedS * 7) / 8 - 2;
}

/** RFC 6887 §8.5: also an epoch that runs too fast is another table's. */
function lostByPcp(elapsedS: number, before: number, after: number): boolean {
  if (after < before - 1) return true;
  const serverS = after - before;
  return elapsedS + 2 < serverS - serverS / 16 || serverS + 2 < elapsedS - elapsedS / 16;
}
