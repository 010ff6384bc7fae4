import { isIP } from 'node:net';
import type { Family } from '@awl/api';

/** An interned IP address: a small integer, so that tables are keyed by numbers. 0 is no address. */
export type AddressId = number;

interface Known {
  readonly text: string;
  readonly family: Family;
  /** The address as an integer. */
  readonly value: bigint;
  readonly isMulticast: boolean;
}

/** Gives every IP address of a network a small number. */
export class AddressTable {
  readonly #ids = new Map<string, AddressId>();
  readonly #known: (Known | undefined)[] = [undefined];

  /** 0 where the text is no IP address. Other spellings of an address have the same number. */
  id(text: string): AddressId {
    const found = this.#ids.get(text);
    if (found !== undefined) return found;
    const value = addressValue(text);
    if (value === undefined) return 0;
    const family = text.includes(':') ? 6 : 4;
    const canonical = family === 4 ? text : formatIpv6(value);
    let id = this.#ids.get(canonical);
    if (id === undefined) {
      id = this.#known.push({ text: canonical, family, value, isMulticast: isMulticast(canonical) }) - 1;
      this.#ids.set(canonical, id);
    }
    this.#ids.set(text, id);
    return id;
  }

  /** Canonical text (RFC 5952). */
  text(id: AddressId): string {
    return this.#known[id]?.text ?? '';
  }

  family(id: AddressId): Family {
    return this.#known[id]?.family ?? 4;
  }

  isMulticast(id: AddressId): boolean {
    return this.#known[id]?.isMulticast ?? false;
  }

  value(id: AddressId): bigint {
    return this.#known[id]?.value ?? 0n;
  }
}

/** A block of addresses, `192.0.2.0/24`. */
export class Prefix {
  readonly length: number;
  readonly #addresses: AddressTable;
  readonly #family: Family;
  readonly #shift: bigint;
  readonly #network: bigint;
  /** By address number: membership, so that a packet costs one array access. */
  readonly #members: (boolean | undefined)[] = [];

  constructor(addresses: AddressTable, text: string) {
    const [base = '', length = ''] = text.split('/');
    const id = addresses.id(base);
    if (id === 0) throw new Error(`not a prefix: ${text}`);
    this.#addresses = addresses;
    this.#family = addresses.family(id);
    this.length = Number(length);
    this.#shift = BigInt((this.#family === 4 ? 32 : 128) - this.length);
    this.#network = addresses.value(id) >> this.#shift;
  }

  has(id: AddressId): boolean {
    return (this.#members[id] ??=
      this.#addresses.family(id) === this.#family &&
      this.#addresses.value(id) >> this.#shift === this.#network);
  }
}

/** One number for a transport endpoint, usable as the key of a map. */
export function endpointKey(address: AddressId, port: number): number {
  return address * 65536 + port;
}

/** 224.0.0.0/4 and ff00::/8. */
export function isMulticast(text: string): boolean {
  if (text.includes(':')) return text.toLowerCase().startsWith('ff');
  const first = Number.parseInt(text, 10);
  return first >= 224 && first < 240;
}

function addressValue(text: string): bigint | undefined {
  const version = isIP(text);
  if (version === 4) return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
  if (version !== 6 || text.includes('%')) return undefined;
  const url = new URL(`http://[${text}]/`);
  const [head = '', tail] = url.hostname.slice(1, -1).split('::');
  const left = head ? head.split(':') : [];
  const right = tail ? tail.split(':') : [];
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return groups.reduce((value, group) => (value << 16n) | BigInt(Number.parseInt(group, 16)), 0n);
}

function formatIpv6(value: bigint): string {
  const groups: string[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(((value >> shift) & 0xffffn).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}
