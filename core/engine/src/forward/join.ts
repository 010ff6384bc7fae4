import type { Duplex } from 'node:stream';

/** Called with the bytes of each chunk. */
export interface Meter {
  readonly sent: (bytes: number) => void;
  readonly received: (bytes: number) => void;
}

/**
 * Makes two streams one: bytes, half-close and backpressure go through in both directions; an end that breaks breaks the other.
 * `sent` counts what goes from `near` to `far`.
 */
export function join(near: Duplex, far: Duplex, meter: Meter): void {
  near.on('data', (chunk: Buffer) => meter.sent(chunk.length));
  far.on('data', (chunk: Buffer) => meter.received(chunk.length));
  near.pipe(far);
  far.pipe(near);
  breaksWith(near, far);
  breaksWith(far, near);
}

function breaksWith(one: Duplex, other: Duplex): void {
  one.on('error', () => other.destroy());
  // A clean end came by `end` and `finish`; what closes without them was cut.
  one.on('close', () => {
    if (!one.readableEnded || !other.readableEnded) other.destroy();
  });
}
