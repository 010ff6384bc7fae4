import type { Running, ScheduledPacket, Sweep } from '@awl/api';
import { takeProbes, type LeaseScope } from './scope.ts';

/** Sweeps send in ticks of this length: a timer for every packet would cost more than the packet. */
const SWEEP_TICK_MS = 2;
/** A packet that the budget holds back is tried again this much later, and given up after {@link HELD_BACK_MS}. */
const RETRY_MS = 5;
const HELD_BACK_MS = 500;
const LOWEST_SWEEP_PORT = 1024;

/** Sends each packet at its time after the agreed start. */
export function runSchedule(
  scope: LeaseScope,
  packets: readonly ScheduledPacket[],
  send: (packet: ScheduledPacket) => void,
): Running {
  const queue = packets.toSorted((a, b) => a.atMs - b.atMs);
  let next = 0;
  let sent = 0;
  return run(
    scope,
    () => {
      const elapsed = scope.clock.now() - (scope.startAt ?? 0);
      for (; next < queue.length; next++) {
        const packet = queue[next]!;
        if (packet.atMs > elapsed) return packet.atMs - elapsed;
        if (takeProbes(scope, packet.to.address, 1) === 1) {
          send(packet);
          sent += 1;
        } else if (
          scope.destinations.allows(packet.to.address) &&
          elapsed - packet.atMs < HELD_BACK_MS &&
          scope.probesSent < scope.limits.probes
        ) {
          return RETRY_MS;
        }
      }
      return undefined;
    },
    () => sent,
  );
}

/** Sends to many ports of one address at a rate. */
export function runSweep(scope: LeaseScope, sweep: Sweep, send: (port: number) => void): Running {
  const portAt = sweepOrder(sweep);
  const total = Math.min(
    sweep.count,
    sweep.ports === 'random' ? 65536 - LOWEST_SWEEP_PORT : sweep.ports.length,
  );
  const rate = Math.min(sweep.ratePps, scope.limits.probesPerSecond);
  let startedAt: number | undefined;
  let sent = 0;
  return run(
    scope,
    () => {
      const now = scope.clock.now();
      const wait = (scope.startAt ?? 0) + (sweep.atMs ?? 0) - now;
      if (startedAt === undefined && wait > 0) return wait;
      startedAt ??= now;
      const due = Math.min(total, Math.floor(((now - startedAt) * rate) / 1000) + 1) - sent;
      const granted = due > 0 ? takeProbes(scope, sweep.to, due) : 0;
      for (let index = 0; index < granted; index++) send(portAt(sent + index));
      sent += granted;
      if (sent >= total || scope.probesSent >= scope.limits.probes) return undefined;
      if (due > 0 && granted === 0 && !scope.destinations.allows(sweep.to)) return undefined;
      return SWEEP_TICK_MS;
    },
    () => sent,
  );
}

/** Calls `step` again after the delay it returns, until it returns undefined, is disposed or the scope ends. */
function run(scope: LeaseScope, step: () => number | undefined, sent: () => number): Running {
  const done = Promise.withResolvers<number>();
  let timer: Disposable | undefined;
  const stop = (): void => {
    timer?.[Symbol.dispose]();
    scope.signal.removeEventListener('abort', stop);
    done.resolve(sent());
  };
  const turn = (): void => {
    const waitMs = scope.signal.aborted ? undefined : step();
    if (waitMs === undefined) stop();
    else timer = scope.clock.schedule(waitMs, turn);
  };
  scope.signal.addEventListener('abort', stop, { once: true });
  turn();
  return { done: done.promise, [Symbol.dispose]: stop };
}

/** The i-th port. `random` is an affine walk: distinct ports in an order that the seed makes, without a table of them. */
function sweepOrder({ ports, seed = 1 }: Sweep): (index: number) => number {
  if (ports !== 'random') return (index) => ports[index]!;
  const size = 65536 - LOWEST_SWEEP_PORT;
  // 64512 = 2^10·3^2·7: a factor without these primes visits every port once.
  let factor = (Math.abs(Math.imul(seed, 2654435761)) % size) | 1;
  while (factor % 3 === 0 || factor % 7 === 0) factor += 2;
  const offset = Math.abs(Math.imul(seed ^ 0x5bd1e995, 1597334677)) % size;
  return (index) => LOWEST_SWEEP_PORT + ((index * factor + offset) % size);
}
