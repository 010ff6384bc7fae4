import { delay, type Clock, type Host } from '@awl/api';
import type { Router } from './router.ts';

/** RFC 6886 §3.1, RFC 6887 §19.1. */
const SERVER_PORT = 5351;
/** RFC 6886 §3.1; doubled each time. RFC 6887 §8.1.1 begins at 3 s, which is for servers further away than the own router. */
const FIRST_WAIT_MS = 250;

/** How often a request is sent: the answer is waited for 1.75 s, and 7.75 s from a router known to be there. */
export const TRIES = { discover: 3, known: 5 } as const;

/**
 * Sends a request to a router until something answers it, which `decode` tells from anything else. Undefined when nothing does. Only the
 * router's own address and port is heard.
 */
export async function exchange<Response>(
  { host, clock }: { readonly host: Host; readonly clock: Clock },
  router: Router,
  request: Uint8Array,
  decode: (payload: Uint8Array) => Response | undefined,
  { tries, signal }: { readonly tries: number; readonly signal: AbortSignal },
): Promise<Response | undefined> {
  using socket = await host.lanUdp({ localAddress: router.localAddress });
  const answered = new AbortController();
  let response: Response | undefined;
  socket.onDatagram = (payload, from) => {
    if (response !== undefined || from.address !== router.address || from.port !== SERVER_PORT) return;
    response = decode(payload);
    if (response !== undefined) answered.abort();
  };
  const wait = AbortSignal.any([signal, answered.signal]);
  for (let attempt = 0; attempt < tries && !answered.signal.aborted; attempt++) {
    socket.send(request, { address: router.address, port: SERVER_PORT });
    await delay(clock, FIRST_WAIT_MS * 2 ** attempt, wait).catch(() => signal.throwIfAborted());
  }
  return response;
}
