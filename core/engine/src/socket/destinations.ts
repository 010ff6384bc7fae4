import { BlockList, isIPv6 } from 'node:net';
import type { Clock, HostInterface } from '@awl/api';
import { isOnLink } from './on-link.ts';

/** Packets that may go unanswered to an address without evidence that the peer is there. */
const UNANSWERED_WITHOUT_EVIDENCE = 10;
/** Packets that may go unanswered to any address within {@link WINDOW_MS}. */
const UNANSWERED_AT_MOST = 3000;
const WINDOW_MS = 10 * 60_000;
/** Addresses remembered at once; the oldest are forgotten first. */
const ADDRESSES_REMEMBERED = 4096;

interface Tally {
  since: number;
  unanswered: number;
}

const never = new BlockList();
never.addSubnet('0.0.0.0', 8, 'ipv4');
never.addSubnet('224.0.0.0', 4, 'ipv4');
never.addSubnet('240.0.0.0', 4, 'ipv4');
never.addAddress('::', 'ipv6');
never.addSubnet('ff00::', 8, 'ipv6');

const local = new BlockList();
local.addSubnet('10.0.0.0', 8, 'ipv4');
local.addSubnet('172.16.0.0', 12, 'ipv4');
local.addSubnet('192.168.0.0', 16, 'ipv4');
local.addSubnet('169.254.0.0', 16, 'ipv4');
local.addSubnet('fc00::', 7, 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const kindOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** Whether an address means a place on this link or in this site, not on the internet (RFC 1918, 3927, 4193, 4291). */
export function isLocalAddress(address: string): boolean {
  return local.check(address, kindOf(address));
}

export function isLoopback(address: string): boolean {
  return loopback.check(address, kindOf(address));
}

/** Counts over the whole node: what several attempts send to one address adds up. */
export class DestinationTallies {
  readonly #clock: Clock;
  readonly #tallies = new Map<string, Tally>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of(address: string): Tally {
    const now = this.#clock.now();
    let tally = this.#tallies.get(address);
    if (!tally || now - tally.since > WINDOW_MS) {
      tally = { since: now, unanswered: 0 };
      this.#tallies.delete(address);
      this.#tallies.set(address, tally);
      if (this.#tallies.size > ADDRESSES_REMEMBERED)
        this.#tallies.delete(this.#tallies.keys().next().value ?? '');
    }
    return tally;
  }
}

/**
 * Whom one attempt may send to: a hostile peer names the candidates, so it must not be able to aim us at a victim. Nothing is allowed
 * before `permit`, which is called once the attempt is authorized and `go` was given.
 */
export class Destinations {
  readonly #tallies: DestinationTallies;
  readonly #interfaces: () => readonly HostInterface[];
  readonly #permitted = new Set<string>();
  readonly #evident = new Set<string>();
  /** True for the one search that the user opted into. */
  unlimited = false;

  constructor(tallies: DestinationTallies, interfaces: () => readonly HostInterface[]) {
    this.#tallies = tallies;
    this.#interfaces = interfaces;
  }

  /** Accepts the addresses of the peer's candidates; those that can't be the peer's are left out. */
  permit(addresses: Iterable<string>, { sameHost = false }: { readonly sameHost?: boolean } = {}): void {
    for (const address of addresses) {
      if (never.check(address, kindOf(address))) continue;
      if (isLoopback(address) ? !sameHost : isLocalAddress(address) && !this.#onLink(address)) continue;
      this.#permitted.add(address);
    }
  }

  /** The peer is really at this address: the rendezvous saw it there, or an authenticated packet came from there. */
  confirm(address: string): void {
    this.#permitted.add(address);
    this.#evident.add(address);
  }

  /** An authenticated packet came from there: what was sent before is answered. */
  answered(address: string): void {
    this.confirm(address);
    this.#tallies.of(address).unanswered = 0;
  }

  allows(address: string): boolean {
    return this.#permitted.has(address);
  }

  /** How many of `count` packets may go to this address now; counts them. */
  take(address: string, count = 1): number {
    if (!this.#permitted.has(address)) return 0;
    const tally = this.#tallies.of(address);
    const limit = this.unlimited
      ? Infinity
      : this.#evident.has(address)
        ? UNANSWERED_AT_MOST
        : UNANSWERED_WITHOUT_EVIDENCE;
    const granted = Math.max(0, Math.min(count, limit - tally.unanswered));
    tally.unanswered += granted;
    return granted;
  }

  #onLink(address: string): boolean {
    return this.#interfaces().some((own) => !own.internal && isOnLink(own, address));
  }
}
