import { encodeFrame, PRESENCE_BATCH, type PeerEntry, type ServerMessage } from '@awl/wire';
import type { ServerClock } from './options.ts';

/** Changes of so long travel together: a thousand peers that reconnect at once are a few messages to each watcher. */
const GATHER_MS = 200;

/** One who wants to know who comes and goes. */
export interface Watcher {
  /** False when the watcher reads too slowly, and is told no more. */
  pushPresence(frame: Buffer): boolean;
}

/** Tells watchers of changes; each message is encoded once for all. */
export class Watchers implements Disposable {
  readonly #clock: ServerClock;
  readonly #watchers = new Set<Watcher>();
  #changes = new Map<string, PeerEntry>();
  #timer: Disposable | undefined;

  constructor(clock: ServerClock) {
    this.#clock = clock;
  }

  add(watcher: Watcher): void {
    this.#watchers.add(watcher);
  }

  delete(watcher: Watcher): void {
    this.#watchers.delete(watcher);
  }

  changed(peer: PeerEntry): void {
    if (this.#watchers.size === 0) return;
    this.#changes.set(peer.peerId, peer);
    this.#timer ??= this.#clock.schedule(GATHER_MS, () => this.#flush());
  }

  #flush(): void {
    this.#timer = undefined;
    const frames = presenceFrames([...this.#changes.values()]);
    this.#changes = new Map();
    for (const watcher of this.#watchers) frames.every((frame) => watcher.pushPresence(frame));
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#watchers.clear();
  }
}

/** A list of peers as frames. */
export function presenceFrames(peers: readonly PeerEntry[]): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < peers.length; at += PRESENCE_BATCH)
    frames.push(
      encodeFrame({ type: 'presence', peers: peers.slice(at, at + PRESENCE_BATCH) } satisfies ServerMessage),
    );
  return frames;
}
