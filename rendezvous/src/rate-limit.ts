import { parseIp } from '@awl/wire';

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/** One token bucket per key. The oldest key is forgotten when there are too many: who floods with made-up sources wins no memory by it. */
export class RateLimit {
  readonly #ratePerMs: number;
  readonly #burst: number;
  readonly #maxKeys: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, burst: number, maxKeys = 65_536) {
    this.#ratePerMs = perSecond / 1000;
    this.#burst = burst;
    this.#maxKeys = maxKeys;
  }

  /** Takes `cost` tokens; 0 when they were there, else the milliseconds until they will be. */
  take(key: string, nowMs: number, cost = 1): number {
    const bucket = this.#bucket(key, nowMs);
    bucket.tokens = Math.min(
      this.#burst,
      bucket.tokens + Math.max(0, nowMs - bucket.filledAtMs) * this.#ratePerMs,
    );
    bucket.filledAtMs = nowMs;
    if (bucket.tokens < cost) return Math.max(1, Math.ceil((cost - bucket.tokens) / this.#ratePerMs));
    bucket.tokens -= cost;
    return 0;
  }

  #bucket(key: string, nowMs: number): Bucket {
    const known = this.#buckets.get(key);
    if (known) return known;
    if (this.#buckets.size >= this.#maxKeys) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    const bucket = { tokens: this.#burst, filledAtMs: nowMs };
    this.#buckets.set(key, bucket);
    return bucket;
  }
}

/** How many are there per key, and in all. */
export class Occupancy {
  readonly #perKey: number;
  readonly #total: number;
  readonly #counts = new Map<string, number>();
  #sum = 0;

  constructor(perKey: number, total: number) {
    this.#perKey = perKey;
    this.#total = total;
  }

  get size(): number {
    return this.#sum;
  }

  /** A place, or undefined when it is full. Disposing it twice does no harm. */
  enter(key: string): Disposable | undefined {
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.#perKey || this.#sum >= this.#total) return undefined;
    this.#counts.set(key, count + 1);
    this.#sum++;
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (left) return;
        left = true;
        this.#sum--;
        const now = (this.#counts.get(key) ?? 1) - 1;
        if (now > 0) this.#counts.set(key, now);
        else this.#counts.delete(key);
      },
    };
  }
}

/** What counts as one address: an IPv4 address; an IPv6 /64, since one household has all of it. */
export function addressKey(address: string): string {
  return prefixKey(address, 4, 8);
}

/** What counts as one network: an IPv4 /24, an IPv6 /48. */
export function networkKey(address: string): string {
  return prefixKey(address, 3, 6);
}

function prefixKey(address: string, ipv4Bytes: number, ipv6Bytes: number): string {
  const bytes = parseIp(address);
  if (!bytes) return address;
  return bytes.toString('latin1', 0, bytes.length === 4 ? ipv4Bytes : ipv6Bytes);
}
