/** Crashes within this time count together. */
const WINDOW_MS = 5 * 60_000;
/** So many of them quarantine a plugin. */
const CRASHES = 3;

/** Counts a plugin's crashes. */
export class CrashCount {
  #at: number[] = [];

  /** Adds one; true where it is one too many. */
  add(nowMs: number): boolean {
    this.#at = [...this.#at.filter((at) => nowMs - at < WINDOW_MS), nowMs];
    return this.#at.length >= CRASHES;
  }

  clear(): void {
    this.#at = [];
  }
}
