import type { Clock, Host } from '@awl/api';
import { findIgd, type Igd } from './igd.ts';
import { routersOf } from './router.ts';
import { UpnpError } from './soap.ts';

/**
 * Remembers the gateway device, and looks for it anew when it does not answer any more: after a restart it may be at another port. One thing
 * is done at a time, since many routers' HTTP servers serve one connection, and answer nonsense to two.
 */
export class KnownIgd {
  readonly #parts: { readonly host: Host; readonly clock: Clock };
  #igd: Igd | undefined;
  #busy: Promise<unknown> = Promise.resolve();

  constructor(parts: { readonly host: Host; readonly clock: Clock }) {
    this.#parts = parts;
  }

  async find(signal: AbortSignal): Promise<Igd | undefined> {
    const routers = await routersOf(this.#parts.host);
    const found = await Promise.all(routers.map((router) => findIgd(this.#parts, router, signal)));
    this.#igd = found.find((igd) => igd !== undefined);
    return this.#igd;
  }

  /** Does something with the device: `work` is tried a second time where the device had to be found anew. Refusals are not tried again. */
  use<T>(signal: AbortSignal, work: (igd: Igd) => Promise<T>): Promise<T> {
    const done = this.#busy.then(() => this.#use(signal, work));
    this.#busy = done.catch(() => {});
    return done;
  }

  async #use<T>(signal: AbortSignal, work: (igd: Igd) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#igd) {
      try {
        return await work(this.#igd);
      } catch (error) {
        if (error instanceof UpnpError || signal.aborted) throw error;
      }
    }
    const igd = await this.find(signal);
    if (!igd) throw new Error('no router on this network answers to UPnP');
    return await work(igd);
  }
}
