import type { PortMapping } from '@awl/api';
import type { Router } from './router.ts';

const HANDLE_MAX = 512;

/** What a mapping's handle holds: where it was made, and the pinhole's id where it is one. It has been in a file, so it is checked. */
export interface Handle extends Router {
  readonly pinhole?: number;
}

export function encodeHandle(handle: Handle): string {
  return JSON.stringify(handle);
}

/** Throws an Error for a handle that is damaged. */
export function decodeHandle({ handle }: PortMapping): Handle {
  const value = handle.length <= HANDLE_MAX ? parsed(handle) : undefined;
  const { address, localAddress, pinhole } = (value ?? {}) as { readonly [key: string]: unknown };
  if (typeof address !== 'string' || typeof localAddress !== 'string')
    throw new Error('the record of this mapping is damaged');
  return { address, localAddress, ...(typeof pinhole === 'number' && { pinhole }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
