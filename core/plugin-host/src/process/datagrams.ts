import type { Clock } from '@awl/api';
import type { Rpc } from './rpc.ts';

const PER_SECOND = 100;
const SIZE_BYTES = 1500;
const UNSENT_BYTES = 1024 * 1024;

/** Hands datagrams to a plugin process: at most 100 a second for each socket, none while it does not read. */
export function datagramForwarder(
  rpc: Rpc,
  clock: Clock,
  method: string,
  about: { readonly [key: string]: string | number },
): (payload: Uint8Array, from: { readonly address: string; readonly port: number }) => void {
  let windowStartMs = -Infinity;
  let inWindow = 0;
  return (payload, { address, port }) => {
    const now = clock.now();
    if (now - windowStartMs >= 1000) {
      windowStartMs = now;
      inWindow = 0;
    }
    inWindow += 1;
    if (inWindow > PER_SECOND || payload.length > SIZE_BYTES || rpc.unsentBytes > UNSENT_BYTES) return;
    rpc.notify(method, {
      ...about,
      payload: Buffer.from(payload).toString('base64'),
      from: { address, port },
    });
  };
}
