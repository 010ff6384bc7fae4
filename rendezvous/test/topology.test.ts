import { test } from 'node:test';
import assert from 'node:assert/strict';
import { isErrorCode, toAwlError } from '@awl/wire';
import { localAddresses, makeTopology, scopeOf, stunEndpoints } from '../src/topology.ts';

for (const [address, expected] of [
  ['127.0.0.1', 'loopback'],
  ['127.9.9.9', 'loopback'],
  ['::1', 'loopback'],
  ['10.1.2.3', 'private'],
  ['172.16.0.1', 'private'],
  ['172.32.0.1', 'global'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['100.128.0.1', 'global'],
  ['169.254.1.1', 'private'],
  ['fd00::1', 'private'],
  ['2001:db8::1', 'global'],
  ['203.0.113.1', 'global'],
] as const)
  test(`${address} is ${expected}`, () => assert.equal(scopeOf(address), expected));

test('addresses to listen on', () => {
  assert.deepEqual(localAddresses('192.0.2.1'), ['192.0.2.1']);
  assert.deepEqual(localAddresses('192.0.2.1', '192.0.2.2'), ['192.0.2.1', '192.0.2.2']);
  assert.ok(localAddresses('0.0.0.0').includes('127.0.0.1'));
  assert.ok(localAddresses('::').includes('127.0.0.1'));
  for (const [host, alternate] of [
    ['localhost', undefined],
    ['', undefined],
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1', '0.0.0.0'],
    ['192.0.2.1', '::1'],
    ['192.0.2.1', 'x'],
  ] as const)
    assert.throws(
      () => localAddresses(host, alternate),
      (error) => isErrorCode(toAwlError(error).code) && toAwlError(error).code === 'ERR_USAGE',
    );
});

const PORTS = [7777, 7778] as const;
const ADDRESSES = ['203.0.113.1', '203.0.113.2', '2001:db8::1', '172.17.0.1', '127.0.0.1'];

test('each address is paired with the alternate one of its family, and that with the first', () => {
  const topology = makeTopology(ADDRESSES, PORTS, '203.0.113.2');
  assert.deepEqual(
    ADDRESSES.map((_, index) => topology.alternateOf(index)),
    [1, 0, undefined, 1, 1],
  );
  const single = makeTopology(ADDRESSES, PORTS);
  assert.deepEqual(
    ADDRESSES.map((_, index) => single.alternateOf(index)),
    ADDRESSES.map(() => undefined),
  );
});

const both = (address?: string, ports: readonly number[] = PORTS) =>
  ports.map((port) => (address === undefined ? { port } : { address, port }));

test('STUN endpoints: first where we were reached, then what is of use to one who reached us there', () => {
  const topology = makeTopology(ADDRESSES, PORTS, '203.0.113.2');
  assert.deepEqual(stunEndpoints(topology, '203.0.113.1'), [
    ...both(),
    ...both('203.0.113.2'),
    ...both('2001:db8::1'),
  ]);
  assert.deepEqual(stunEndpoints(topology, '172.17.0.1'), [...both(), ...both('203.0.113.2')]);
  assert.deepEqual(stunEndpoints(makeTopology(ADDRESSES, PORTS), '127.0.0.1'), both());
  assert.deepEqual(stunEndpoints(makeTopology(ADDRESSES, PORTS), '172.17.0.1'), both());
});

test('behind forwarded ports, the ports are those outside, and no inner address is told', () => {
  const advertise = { host: '198.51.100.1', port: 443, altPort: 444 };
  const topology = makeTopology(['10.0.0.5', '10.0.0.6'], PORTS, undefined, advertise);
  assert.deepEqual(stunEndpoints(topology, '10.0.0.5', advertise), both(undefined, [443, 444]));
  assert.deepEqual(topology.published({ address: 0, port: 1 }), { address: '198.51.100.1', port: 444 });
  const named = makeTopology(['10.0.0.5'], PORTS, undefined, { host: 'example.org' });
  assert.deepEqual(named.published({ address: 0, port: 0 }), { address: '10.0.0.5', port: 7777 });
});
