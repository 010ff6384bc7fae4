import type { JsonValue, PortMapping } from '@awl/api';

/** A mapping as it stands in the store, so that one left by a crash can be removed. */
export interface MappingRecord {
  /** The mapper's id. */
  readonly mapper: string;
  readonly mapping: PortMapping;
  /** Milliseconds since the Unix epoch. */
  readonly madeAt: number;
}

/** More are not kept; no node holds as many. */
export const RECORDS_MAX = 64;
const HANDLE_MAX = 4096;

/** The records of a stored document; what is damaged in it is left out. */
export function parseRecords(document: JsonValue | undefined): MappingRecord[] {
  if (!Array.isArray(document)) return [];
  return document.slice(0, RECORDS_MAX).flatMap((value: JsonValue) => {
    if (!isObject(value)) return [];
    const { mapper, mapping, madeAt } = value;
    if (typeof mapper !== 'string' || typeof madeAt !== 'number' || !isMapping(mapping)) return [];
    return [{ mapper, mapping, madeAt }];
  });
}

/** Whether this has the form of a mapping, with ports and a lifetime that can be: a plugin or a file says so. */
export function isMapping(value: unknown): value is PortMapping {
  if (!isObject(value)) return false;
  const { protocol, internalPort, externalPort, externalAddress, lifetimeS, handle } = value;
  return (
    (protocol === 'udp' || protocol === 'tcp') &&
    isPort(internalPort) &&
    isPort(externalPort) &&
    typeof externalAddress === 'string' &&
    externalAddress.length <= 45 &&
    typeof lifetimeS === 'number' &&
    lifetimeS >= 0 &&
    typeof handle === 'string' &&
    handle.length <= HANDLE_MAX
  );
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;
}
