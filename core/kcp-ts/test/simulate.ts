import { Kcp, type KcpOptions } from '../src/index.ts';
import { seeded } from './pair.ts';

/** A transfer between two state machines over a scripted link. */
export interface Scenario {
  readonly seed: number;
  readonly options: Partial<KcpOptions>;
  readonly sizeBytes: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly loss: number;
  readonly duplicate: number;
  readonly corrupt: number;
  /** Where time begins, so that stamps wrap around on the way. */
  readonly startMs: number;
  readonly limitMs: number;
}

/** How it went. */
export interface Outcome {
  /** The stream that arrived is the one that was sent. */
  readonly intact: boolean;
  readonly receivedBytes: number;
  readonly elapsedMs: number;
  readonly sender: Kcp;
  readonly receiver: Kcp;
  /** Most that the receiver held, bytes. */
  readonly peakStoredBytes: number;
}

interface Flying {
  readonly at: number;
  readonly to: number;
  readonly bytes: Uint8Array;
}

/** Runs the transfer without a clock: time jumps to the next datagram or `check()`. */
export function simulate(scenario: Scenario): Outcome {
  const random = seeded(scenario.seed);
  const flying: Flying[] = [];
  let now = scenario.startMs;
  const outputFrom = (from: number) => (buffer: Uint8Array, length: number) => {
    const copies = random() < scenario.duplicate ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (random() < scenario.loss) continue;
      const bytes = buffer.slice(0, length);
      if (random() < scenario.corrupt) bytes[Math.floor(random() * length)]! ^= 1 << Math.floor(random() * 8);
      flying.push({ at: now + scenario.delayMs + random() * scenario.jitterMs, to: 1 - from, bytes });
    }
  };
  const ends = [0, 1].map(
    (index) => new Kcp({ conv: 9, stream: true, ...scenario.options, output: outputFrom(index) }),
  );
  const [sender, receiver] = ends as [Kcp, Kcp];
  const block = new Uint8Array(4096);
  const into = new Uint8Array(16_384);
  let sent = 0;
  let received = 0;
  let intact = true;
  let peakStoredBytes = 0;
  let idle = 0;
  const end = now + scenario.limitMs;
  while (now < end && received < scenario.sizeBytes && !sender.dead) {
    while (sent < scenario.sizeBytes && sender.waiting < 256) {
      const length = Math.min(1 + Math.floor(random() * block.length), scenario.sizeBytes - sent);
      for (let at = 0; at < length; at++) block[at] = (sent + at) * 31;
      sent += sender.send(block, 0, length);
    }
    for (const kcp of ends) kcp.update(now);
    let next = Math.min(end, ...ends.map((kcp) => kcp.check(now)));
    for (const { at } of flying) next = Math.min(next, at);
    const before = now;
    now = Math.max(now, next);
    for (let index = 0; index < flying.length;) {
      const { at, to, bytes } = flying[index]!;
      if (at > now) {
        index++;
        continue;
      }
      flying.splice(index, 1);
      ends[to]!.input(bytes, now);
    }
    peakStoredBytes = Math.max(peakStoredBytes, receiver.stats().receiveQueueBytes);
    for (let length = receiver.readStream(into); length > 0; length = receiver.readStream(into)) {
      for (let at = 0; at < length; at++) if (into[at] !== (((received + at) * 31) & 0xff)) intact = false;
      received += length;
    }
    idle = now === before ? idle + 1 : 0;
    // The original's check() says "now" for a segment that is due, though its update() waits for the interval.
    if (idle > 2 && scenario.options.classic) now += 0.5;
    if (idle > 10_000) throw new Error('time stands still');
  }
  return {
    intact,
    receivedBytes: received,
    elapsedMs: now - scenario.startMs,
    sender,
    receiver,
    peakStoredBytes,
  };
}
