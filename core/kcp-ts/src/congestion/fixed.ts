import type { CongestionController } from './controller.ts';

/** No congestion control: the original's `nc=1`. Only the windows of both sides limit what is in flight. */
export class FixedWindow implements CongestionController {
  readonly windowBytes = Infinity;
  readonly pacingBytesPerMs = Infinity;

  setMss(): void {}

  onAck(): void {}

  onTimeout(): void {}

  onSpuriousLoss(): void {}
}
