import type { Clock, HostInterface } from '@awl/api';

/** How often this host's addresses are looked at. */
const LOOK_MS = 5000;

/** Tells when this host's addresses change: another network, a cable, a VPN. */
export class NetworkWatch implements Disposable {
  readonly #clock: Clock;
  readonly #interfaces: () => readonly HostInterface[];
  readonly #onChange: (addresses: readonly string[]) => void;
  #known: string;
  #timer: Disposable;

  constructor(
    clock: Clock,
    interfaces: () => readonly HostInterface[],
    onChange: (addresses: readonly string[]) => void,
  ) {
    this.#clock = clock;
    this.#interfaces = interfaces;
    this.#onChange = onChange;
    this.#known = this.#addresses().join(' ');
    this.#timer = this.#next();
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #addresses(): string[] {
    // Privacy addresses of IPv6 come and go on one network (RFC 8981): the interface and the prefix are what counts.
    return this.#interfaces()
      .filter(({ internal }) => !internal)
      .map(
        ({ name, family, address }) =>
          `${name} ${family === 6 ? address.split(':').slice(0, 4).join(':') : address}`,
      )
      .sort();
  }

  #next(): Disposable {
    return this.#clock.schedule(LOOK_MS, () => {
      const addresses = this.#addresses();
      const now = addresses.join(' ');
      if (now !== this.#known) {
        this.#known = now;
        this.#onChange(addresses);
      }
      this.#timer = this.#next();
    });
  }
}
