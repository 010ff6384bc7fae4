import { AwlError, formatRendezvousUrl, parseRendezvousUrl } from '@awl/wire';
import type { Rendezvous } from './rendezvous.ts';

export interface RendezvousSetParts {
  /** Makes (does not open) a client. */
  readonly make: (url: string) => Rendezvous;
  /** Before a client is opened: takes what it brings. Only the node's own tells who is there. */
  readonly listen: (rendezvous: Rendezvous, own: boolean) => void;
  /** After a client was opened: its STUN servers can be asked. */
  readonly opened: (rendezvous: Rendezvous) => Promise<void>;
  readonly signal: AbortSignal;
}

/** The node's own rendezvous, and those that tickets name. */
export class RendezvousSet {
  readonly #parts: RendezvousSetParts;
  readonly #others = new Map<string, Promise<Rendezvous>>();
  #own: Rendezvous | undefined;

  constructor(parts: RendezvousSetParts) {
    this.#parts = parts;
  }

  get own(): Rendezvous | undefined {
    return this.#own;
  }

  /** The URLs for a ticket, each with the key of the rendezvous, so that nobody can take its place. */
  get urls(): string[] {
    if (!this.#own) return [];
    const { url, fingerprint } = this.#own;
    const place = parseRendezvousUrl(url);
    return [place && fingerprint ? formatRendezvousUrl({ ...place, fingerprint }) : url];
  }

  /** Uses another rendezvous as the node's own; resolves once registered there. */
  async use(rendezvous: Rendezvous | undefined, signal?: AbortSignal): Promise<void> {
    const previous = this.#own;
    this.#own = rendezvous;
    await previous?.close();
    if (!rendezvous) return;
    this.#parts.listen(rendezvous, true);
    await rendezvous.open(signal);
    await this.#parts.opened(rendezvous);
  }

  /** The node's own rendezvous where it will do; else one of these, opened and kept. Rejects with the last one's failure. */
  async among(urls: readonly string[]): Promise<Rendezvous> {
    const own = this.#own;
    if (own && (urls.length === 0 || urls.some((url) => samePlace(url, own.url)))) return own;
    let failure: unknown = new AwlError('ERR_RENDEZVOUS_UNREACHABLE', 'No rendezvous is configured.', {
      remedy: 'Set one: `awl config set rendezvous.url awl://HOST`.',
    });
    for (const url of urls) {
      try {
        return await this.#other(url);
      } catch (error) {
        failure = error;
      }
    }
    if (own) return own;
    throw failure;
  }

  async close(): Promise<void> {
    const others = await Promise.allSettled(this.#others.values());
    const open = others.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : []));
    if (this.#own) open.push(this.#own);
    await Promise.all(open.map((rendezvous) => rendezvous.close()));
    this.#own = undefined;
  }

  #other(url: string): Promise<Rendezvous> {
    const known = this.#others.get(url);
    if (known) return known;
    const opening = (async () => {
      const rendezvous = this.#parts.make(url);
      this.#parts.listen(rendezvous, false);
      await rendezvous.open(this.#parts.signal);
      await this.#parts.opened(rendezvous);
      return rendezvous;
    })();
    this.#others.set(url, opening);
    opening.catch(() => this.#others.delete(url));
    return opening;
  }
}

/** One rendezvous, whatever key the URLs name: which key it has is checked where it is opened. */
function samePlace(a: string, b: string): boolean {
  const [left, right] = [parseRendezvousUrl(a), parseRendezvousUrl(b)];
  return left && right ? left.host === right.host && left.port === right.port : a === b;
}
