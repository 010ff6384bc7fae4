import type {
  Clock,
  Host,
  Logger,
  MapperGateway,
  MappingRequest,
  PortMapper,
  PortMapping,
  Random,
} from '@awl/api';
import { decodeHandle, encodeHandle } from './handle.ts';
import type { Igd } from './igd.ts';
import { KnownIgd } from './known-igd.ts';
import type { Router } from './router.ts';
import { UpnpError } from './soap.ts';
import { FAULT, WanConnection, type Entry, type NewMapping } from './wan-connection.ts';

/** What both mappers are given. */
export interface MapperParts {
  readonly host: Host;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The wished port, then others at random. */
const PORT_TRIES = 4;
const PORT_MIN = 1024;

/** Port mapping by UPnP IGD 1 and 2. Failures are Errors whose message is for a person. */
export class UpnpMapper implements PortMapper {
  readonly id = 'upnp';
  readonly #parts: MapperParts;
  readonly #igd: KnownIgd;

  constructor(parts: MapperParts) {
    this.#parts = parts;
    this.#igd = new KnownIgd(parts);
  }

  async discover(signal: AbortSignal): Promise<MapperGateway | undefined> {
    const igd = await this.#igd.find(signal);
    if (!igd) return undefined;
    const connection = await this.#connection(igd, signal).catch(() => undefined);
    return {
      address: igd.router.address,
      description: `UPnP: ${igd.description.name}`,
      ...(connection && { externalAddress: connection.externalAddress }),
    };
  }

  async map(request: MappingRequest, signal: AbortSignal): Promise<PortMapping> {
    return await this.#igd.use(signal, async (igd) => {
      const connection = await this.#connection(igd, signal);
      return await this.#add(connection, igd.router, request, signal);
    });
  }

  /** Looks at the router's entry, and writes it again only when it is lost or past half of its life: some routers write each to flash. */
  async refresh(mapping: PortMapping, signal: AbortSignal): Promise<PortMapping> {
    return await this.#igd.use(signal, async (igd) => {
      const router = sameRouter(igd, mapping);
      const connection = await this.#connection(igd, signal);
      const entry = await connection.entry(mapping.protocol, mapping.externalPort, signal);
      const forGood = entry?.leaseS === 0;
      if (!entry || !isOurs(entry, router, mapping) || (!forGood && entry.leaseS <= mapping.lifetimeS / 2))
        return await this.#add(connection, router, mapping, signal);
      const lifetimeS = forGood ? mapping.lifetimeS : Math.min(entry.leaseS, mapping.lifetimeS);
      return { ...mapping, externalAddress: connection.externalAddress, lifetimeS };
    });
  }

  /** Removes the entry, unless it is somebody else's by now. */
  async unmap(mapping: PortMapping, signal: AbortSignal): Promise<void> {
    await this.#igd.use(signal, async (igd) => {
      const router = sameRouter(igd, mapping);
      const connection = await this.#connection(igd, signal);
      const { protocol, externalPort } = mapping;
      const entry = await connection.entry(protocol, externalPort, signal);
      if (entry && isOurs(entry, router, mapping)) await connection.delete(protocol, externalPort, signal);
    });
  }

  #connection(igd: Igd, signal: AbortSignal): Promise<WanConnection> {
    return WanConnection.of(this.#parts.host, igd, signal);
  }

  async #add(
    connection: WanConnection,
    router: Router,
    request: MappingRequest,
    signal: AbortSignal,
  ): Promise<PortMapping> {
    const { protocol, internalPort, lifetimeS } = request;
    const client = router.localAddress;
    let externalPort = request.externalPort ?? internalPort;
    let leaseS = lifetimeS;
    let failure: unknown;
    for (let attempt = 0; attempt < PORT_TRIES; attempt++) {
      try {
        const wish = { protocol, externalPort, internalPort, client, leaseS };
        const granted = await this.#addOne(connection, router, wish, signal);
        return {
          protocol,
          internalPort,
          externalPort: granted,
          externalAddress: connection.externalAddress,
          lifetimeS,
          handle: encodeHandle(router),
        };
      } catch (error) {
        failure = error;
        if (!(error instanceof UpnpError)) throw error;
        const { code } = error;
        if (code === FAULT.permanentOnly && leaseS > 0) {
          this.#parts.log.warn('the router keeps mappings for ever: they are removed when awl stops');
          leaseS = 0;
        } else if (code === FAULT.samePortRequired) externalPort = internalPort;
        else if (code === FAULT.conflict || code === FAULT.conflictWithOther)
          externalPort = PORT_MIN + this.#parts.random.integer(65_536 - PORT_MIN);
        else throw error;
      }
    }
    throw failure;
  }

  /** Adds one mapping and returns its external port. Throws an {@link UpnpError} also where the router should have refused. */
  async #addOne(
    connection: WanConnection,
    router: Router,
    wish: NewMapping,
    signal: AbortSignal,
  ): Promise<number> {
    const { protocol, externalPort } = wish;
    if (connection.version >= 2) {
      const granted = await connection.addAny(wish, signal).catch(unlessUnknown);
      if (granted !== undefined) {
        await verify(connection, router, { ...wish, externalPort: granted }, signal);
        return granted;
      }
    }
    // AddPortMapping overwrites another host's entry on some routers, though it must not.
    const before = await connection.entry(protocol, externalPort, signal).catch(unlessUnknown);
    if (before && !isOurs(before, router, wish))
      throw new UpnpError(FAULT.conflict, `port ${externalPort} leads to another place`);
    await connection.add(wish, signal);
    await verify(connection, router, wish, signal);
    return externalPort;
  }
}

/** Some routers say yes and do nothing. One that cannot show its entries is believed. */
async function verify(
  connection: WanConnection,
  router: Router,
  wish: NewMapping,
  signal: AbortSignal,
): Promise<void> {
  let entry: Entry | undefined;
  try {
    entry = await connection.entry(wish.protocol, wish.externalPort, signal);
  } catch (error) {
    unlessUnknown(error);
    return;
  }
  if (!entry || !isOurs(entry, router, wish))
    throw new Error('the router said that it mapped the port, but its table does not show it');
}

/** Swallows the refusal of an action that the router does not have or may not run; throws anything else. */
function unlessUnknown(error: unknown): undefined {
  if (error instanceof UpnpError && [401, 402, 501, 602, 606].includes(error.code)) return undefined;
  throw error;
}

function isOurs(entry: Entry, router: Router, { internalPort }: { readonly internalPort: number }): boolean {
  return entry.client === router.localAddress && entry.internalPort === internalPort;
}

function sameRouter({ router }: Igd, mapping: PortMapping): Router {
  const { address, localAddress } = decodeHandle(mapping);
  if (router.address !== address) throw new Error(`this mapping was made at another router, ${address}`);
  return { address, localAddress };
}
