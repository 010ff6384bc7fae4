import type { Protocol } from './address.ts';

/** What to map. */
export interface MappingRequest {
  readonly protocol: Protocol;
  readonly internalPort: number;
  /** A wish; the router may give another. */
  readonly externalPort?: number;
  readonly lifetimeS: number;
}

/** A mapping that a router granted. */
export interface PortMapping extends MappingRequest {
  /** The router's own idea of its external address; private or shared (RFC 6598) when there is another NAT above it. */
  readonly externalAddress: string;
  readonly externalPort: number;
  /** What the mapper needs to refresh and unmap it, also after a crash; stored by the engine. */
  readonly handle: string;
}

/** A router that a mapper found. */
export interface MapperGateway {
  readonly address: string;
  readonly description: string;
  readonly externalAddress?: string;
}

/** Makes mappings at a router. The engine renews each at half its life and removes it at exit, or at the next start after a crash. */
export interface PortMapper {
  readonly id: string;
  /** Finds a router; undefined where there is none. */
  discover(signal: AbortSignal): Promise<MapperGateway | undefined>;
  map(request: MappingRequest, signal: AbortSignal): Promise<PortMapping>;
  refresh(mapping: PortMapping, signal: AbortSignal): Promise<PortMapping>;
  unmap(mapping: PortMapping, signal: AbortSignal): Promise<void>;
}
