import { delay, type Clock, type Host } from '@awl/api';
import { parseDescription, type Description, type Service } from './description.ts';
import type { Router } from './router.ts';
import { decodeAction, encodeAction } from './soap.ts';
import { decodeLocation, encodeSearches, SSDP_GROUP, SSDP_PORT } from './ssdp.ts';

/** When searches are sent, milliseconds; datagrams get lost. */
const SEARCH_WAITS_MS = [300, 700, 1500];
const LOCATIONS_MAX = 4;

/** What a gateway offers, found on a router. */
export interface Igd {
  readonly router: Router;
  readonly description: Description;
}

/** Finds the Internet Gateway Device on a router. Only the router's own address is believed, in every step. */
export async function findIgd(
  { host, clock }: { readonly host: Host; readonly clock: Clock },
  router: Router,
  signal: AbortSignal,
): Promise<Igd | undefined> {
  using socket = await host.lanUdp({ multicastGroup: SSDP_GROUP, localAddress: router.localAddress });
  const found = new AbortController();
  const tried = new Set<string>();
  let igd: Igd | undefined;
  socket.onDatagram = (payload, from) => {
    if (from.address !== router.address) return;
    const location = decodeLocation(payload);
    if (location?.hostname !== router.address || tried.has(location.href) || tried.size >= LOCATIONS_MAX)
      return;
    tried.add(location.href);
    void describe(host, location, signal).then((description) => {
      if (igd || !description) return;
      igd = { router, description };
      found.abort();
    });
  };
  const wait = AbortSignal.any([signal, found.signal]);
  for (const waitMs of SEARCH_WAITS_MS) {
    if (found.signal.aborted) break;
    for (const search of encodeSearches('group'))
      socket.send(search, { address: SSDP_GROUP, port: SSDP_PORT });
    for (const search of encodeSearches(router))
      socket.send(search, { address: router.address, port: SSDP_PORT });
    await delay(clock, waitMs, wait).catch(() => signal.throwIfAborted());
  }
  return igd;
}

/** Runs an action of a service. Throws an `UpnpError` when the router refuses, an Error when it does not answer as it should. */
export async function runAction(
  host: Host,
  service: Pick<Service, 'type' | 'controlUrl'>,
  action: string,
  args: readonly (readonly [name: string, value: string | number])[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const { status, body } = await host.lanHttp({
    url: service.controlUrl.href,
    method: 'POST',
    headers: { 'Content-Type': 'text/xml; charset="utf-8"', SOAPAction: `"${service.type}#${action}"` },
    body: encodeAction(service.type, action, args),
    signal,
  });
  // A refusal comes with status 500 (UPnP Device Architecture 2.0, §3.2.2).
  if (status !== 200 && status !== 500) throw new Error(`the router answered with HTTP status ${status}`);
  return decodeAction(body, action);
}

/** The description at a location; undefined where it is none of a gateway. Its content type is not looked at: routers lie about it. */
async function describe(host: Host, location: URL, signal: AbortSignal): Promise<Description | undefined> {
  try {
    const { status, body } = await host.lanHttp({ url: location.href, method: 'GET', signal });
    const description = status === 200 ? parseDescription(body, location) : undefined;
    return description && description.services.length > 0 ? description : undefined;
  } catch {
    return undefined;
  }
}
