import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock } from '@awl/engine';
import type { HostInterface } from '@awl/api';
import { Destinations, DestinationTallies } from '../../src/socket/destinations.ts';

const lan: HostInterface = {
  name: 'eth0',
  address: '192.168.1.10',
  family: 4,
  prefixLength: 24,
  internal: false,
  kind: 'link',
};
const make = (tallies = new DestinationTallies(realClock)): Destinations =>
  new Destinations(tallies, () => [lan]);

const CASES: readonly {
  readonly address: string;
  readonly sameHost?: boolean;
  readonly allowed: boolean;
  readonly why: string;
}[] = [
  { address: '203.0.113.9', allowed: true, why: 'a public address' },
  { address: '192.168.1.77', allowed: true, why: 'a private address on our link' },
  { address: '192.168.2.77', allowed: false, why: 'a private address of another link' },
  { address: '10.0.0.1', allowed: false, why: 'a private address we are not on' },
  { address: '169.254.3.4', allowed: false, why: 'link-local of another link' },
  { address: 'fe80::1', allowed: false, why: 'link-local, IPv6' },
  { address: '224.0.0.251', allowed: false, why: 'multicast' },
  { address: 'ff02::fb', allowed: false, why: 'multicast, IPv6' },
  { address: '255.255.255.255', allowed: false, why: 'broadcast' },
  { address: '0.0.0.0', allowed: false, why: 'nowhere' },
  { address: '127.0.0.1', allowed: false, why: 'our own services' },
  { address: '127.0.0.1', sameHost: true, allowed: true, why: 'loopback between nodes of one host' },
  { address: '::1', allowed: false, why: 'loopback, IPv6' },
  { address: '2001:db8::9', allowed: true, why: 'a global IPv6 address' },
];

for (const { address, sameHost = false, allowed, why } of CASES) {
  test(`destinations: ${address} is ${allowed ? 'allowed' : 'refused'}: ${why}`, () => {
    const destinations = make();
    destinations.permit([address], { sameHost });
    assert.equal(destinations.allows(address), allowed);
  });
}

test('destinations: what no candidate names gets nothing', () => {
  const destinations = make();
  destinations.permit(['203.0.113.9']);
  assert.equal(destinations.take('203.0.113.10'), 0);
});

test('destinations: ten packets without evidence, 3000 with it, over all attempts of the node', () => {
  const tallies = new DestinationTallies(realClock);
  const first = make(tallies);
  first.permit(['203.0.113.9']);
  assert.equal(first.take('203.0.113.9', 25), 10);
  const second = make(tallies);
  second.permit(['203.0.113.9']);
  assert.equal(second.take('203.0.113.9', 25), 0);
  second.confirm('203.0.113.9');
  assert.equal(second.take('203.0.113.9', 5000), 2990);
  assert.equal(second.take('203.0.113.9'), 0);
});

test('destinations: an answer makes room again', () => {
  const destinations = make();
  destinations.permit(['203.0.113.9']);
  destinations.take('203.0.113.9', 10);
  destinations.answered('203.0.113.9');
  assert.equal(destinations.take('203.0.113.9', 100), 100);
});
