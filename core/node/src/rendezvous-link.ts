import { delay } from '@awl/api';
import {
  RendezvousClient,
  realClock,
  realRandom,
  type Engine,
  type Identity,
  type Rendezvous,
} from '@awl/engine';
import { parseRendezvousUrl, toAwlError } from '@awl/wire';
import type { NodeConfig } from './config/schema.ts';
import type { KnownRendezvous } from './known-rendezvous.ts';

export interface RendezvousParts {
  readonly identity: Identity;
  readonly known: KnownRendezvous;
  readonly complain: (text: string) => void;
}

/** Makes clients of rendezvous, each with the key that was met there before. */
export class RendezvousMaker {
  readonly #parts: RendezvousParts;
  /** Read once: an engine asks for a client without waiting. */
  readonly #fingerprints: ReadonlyMap<string, string>;
  readonly #met = new Map<string, string>();

  private constructor(parts: RendezvousParts, fingerprints: ReadonlyMap<string, string>) {
    this.#parts = parts;
    this.#fingerprints = fingerprints;
  }

  static async open(parts: RendezvousParts): Promise<RendezvousMaker> {
    return new RendezvousMaker(parts, await parts.known.all());
  }

  make(url: string, options: { readonly name?: string; readonly accessKey?: string } = {}): Rendezvous {
    const { identity, known, complain } = this.#parts;
    const place = parseRendezvousUrl(url);
    const at = place ? known.placeOf(place) : url;
    const knownFingerprint = this.#met.get(at) ?? this.#fingerprints.get(at);
    return new RendezvousClient({
      url,
      identity,
      clock: realClock,
      random: realRandom,
      ...options,
      ...(knownFingerprint === undefined ? {} : { knownFingerprint }),
      onFingerprint: (fingerprint) => {
        if (!place || place.fingerprint !== undefined || this.#met.get(at) === fingerprint) return;
        this.#met.set(at, fingerprint);
        known.remember(place, fingerprint).catch((error: unknown) => complain(toAwlError(error).message));
      },
    });
  }
}

/** Has the engine use the rendezvous that the configuration names; none where it names none. */
export async function useConfigured(
  engine: Engine,
  maker: RendezvousMaker,
  { rendezvous, name }: NodeConfig,
  signal?: AbortSignal,
): Promise<void> {
  const { url = '', key: accessKey = process.env['AWL_RENDEZVOUS_KEY'] } = rendezvous ?? {};
  if (url === '') return engine.useRendezvous(undefined);
  const options = { ...(name === undefined ? {} : { name }), ...(accessKey ? { accessKey } : {}) };
  await engine.useRendezvous(maker.make(url, options), signal);
}

/** A user waits for the outcome of a change only so long. */
const CHANGE_PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 20;

/**
 * The same after a change of the configuration. Resolves also when the first try failed: the state tells why, and the engine keeps trying.
 * Rejects when the rendezvous refuses for good.
 */
export async function changeConfigured(
  engine: Engine,
  maker: RendezvousMaker,
  config: NodeConfig,
): Promise<void> {
  const registered = useConfigured(engine, maker, config);
  registered.catch(() => undefined);
  const { clock, state } = engine;
  const url = config.rendezvous?.url ?? '';
  const deadline = clock.now() + CHANGE_PATIENCE_MS;
  const over = new AbortController();
  const hasFailed = (): boolean =>
    state.state.rendezvous.url === url && state.state.rendezvous.code !== undefined;
  const firstTry = async (): Promise<void> => {
    while (!hasFailed() && clock.now() < deadline) await delay(clock, LOOK_EVERY_MS, over.signal);
  };
  const failed = firstTry();
  failed.catch(() => undefined);
  try {
    await Promise.race([registered, failed]);
  } finally {
    over.abort();
  }
}
