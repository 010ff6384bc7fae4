import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNeighbours, parseRoutes } from '../../src/socket/host.ts';

test('/proc/net/route: default gateways only', () => {
  const table = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF
wlan0\t00000000\tFE00000A\t0003\t0\t0\t600\t00000000
`;
  assert.deepEqual(parseRoutes(table), [
    { interfaceName: 'eth0', address: '192.168.1.1' },
    { interfaceName: 'wlan0', address: '10.0.0.254' },
  ]);
});

test('/proc/net/arp: complete entries only', () => {
  const table = `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.1      0x1         0x2         AA:bb:cc:00:11:22     *        eth0
192.168.1.9      0x1         0x0         00:00:00:00:00:00     *        eth0
`;
  assert.deepEqual([...parseNeighbours(table)], [['192.168.1.1', 'aa:bb:cc:00:11:22']]);
});

test('an empty table is no error', () => {
  assert.deepEqual(parseRoutes(''), []);
  assert.deepEqual([...parseNeighbours('')], []);
});
