import type { Allocation } from '@awl/api';

/** A difference of ports up to this is a step, beyond it chance. */
const LARGEST_STEP = 64;
/** Ports that lie this close together come from one block (RFC 7422 gives subscribers 256 to 4096). */
const BLOCK_PORTS = 2048;

/** One mapping: the socket's port and the external one, in the order they were made. */
export interface AllocationSample {
  readonly localPort: number;
  readonly externalPort: number;
}

/** The law by which a NAT took these external ports (RFC 4787 §4.2); undefined for fewer than three mappings. */
export function allocationLaw(
  samples: readonly AllocationSample[],
): { readonly law: Allocation; readonly step?: number } | undefined {
  if (samples.length < 3) return undefined;
  if (samples.every(({ localPort, externalPort }) => localPort === externalPort))
    return { law: 'preserving' };
  const ports = samples.map(({ externalPort }) => externalPort);
  const steps = ports.slice(1).map((port, index) => port - ports[index]!);
  const step = commonStep(steps);
  if (step !== undefined) return { law: 'contiguous', step };
  return { law: Math.max(...ports) - Math.min(...ports) < BLOCK_PORTS ? 'block' : 'random' };
}

/** The step that most differences are a small multiple of: others' traffic takes ports in between. */
function commonStep(steps: readonly number[]): number | undefined {
  const small = steps.filter((step) => step !== 0 && Math.abs(step) <= LARGEST_STEP);
  if (small.length * 3 < steps.length * 2 || small.length === 0) return undefined;
  const direction = Math.sign(small.reduce((sum, step) => sum + Math.sign(step), 0));
  const along = small.map((step) => step * direction).filter((step) => step > 0);
  if (direction === 0 || along.length * 3 < steps.length * 2) return undefined;
  const smallest = Math.min(...along);
  return smallest * direction;
}
