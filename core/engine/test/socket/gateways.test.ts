/** What systems print about their routes and neighbours. The macOS and Windows samples are written after their manuals' formats. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArp, parseNetstat } from '../../src/socket/darwin-gateways.ts';
import { parseIpv6Routes } from '../../src/socket/ipv6-routes.ts';
import { macAddress } from '../../src/socket/mac-address.ts';
import { parseWindows } from '../../src/socket/windows-gateways.ts';

const ANY = '0'.repeat(32);
const NETSTAT = `Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
default            192.168.1.1        UGScg                 en0
default            link#22            UCSIg               utun4
127                127.0.0.1          UCS                   lo0
192.168.1          link#11            UCS                   en0      !
192.168.1.1        0:1c:42:0:0:18     UHLWIir               en0   1178

Internet6:
Destination                             Gateway                                 Flags               Netif Expire
default                                 fe80::21c:42ff:fe00:18%en0              UGcg                  en0
default                                 fe80::%utun0                            UGcIg               utun0
::1                                     ::1                                     UHL                   lo0
`;
const ARP = `? (192.168.1.1) at 0:1c:42:0:0:18 on en0 ifscope [ethernet]
? (192.168.1.23) at (incomplete) on en0 ifscope [ethernet]
? (192.168.1.255) at ff:ff:ff:ff:ff:ff on en0 ifscope [ethernet]
? (224.0.0.251) at 1:0:5e:0:0:fb on en0 ifscope permanent [ethernet]
`;
const WINDOWS = JSON.stringify({
  routes: [
    { NextHop: '10.8.0.1', InterfaceAlias: 'VPN', Metric: 55 },
    { NextHop: '192.168.1.1', InterfaceAlias: 'Wi-Fi', Metric: 40 },
    { NextHop: '0.0.0.0', InterfaceAlias: 'Tunnel', Metric: 5 },
    { NextHop: 'fe80::1', InterfaceAlias: 'Wi-Fi', Metric: 256 },
  ],
  neighbours: [
    { IPAddress: '192.168.1.1', LinkLayerAddress: 'AA-BB-CC-00-11-22', InterfaceAlias: 'Ethernet' },
    { IPAddress: '192.168.1.1', LinkLayerAddress: '00-1C-42-00-00-18', InterfaceAlias: 'Wi-Fi' },
    { IPAddress: 'fe80::1', LinkLayerAddress: '00-1C-42-00-00-18', InterfaceAlias: 'Wi-Fi' },
  ],
});

describe('gateways', () => {
  it('of /proc/net/ipv6_route', () => {
    const table = [
      `fd000000000000000000000000000000 40 ${ANY} 00 ${ANY} 00000100 00000001 00000000 00000001 eth0`,
      `${ANY} 00 ${ANY} 00 fe800000000000000000000000000001 00000064 00000001 00000000 00450003 eth0`,
      `${ANY} 00 ${ANY} 00 ${ANY} ffffffff 00000001 00000000 00200200 lo`,
      'damaged',
    ].join('\n');
    assert.deepEqual(parseIpv6Routes(table), [{ address: 'fe80::1', interfaceName: 'eth0' }]);
  });

  it('of macOS', () => {
    assert.deepEqual(parseNetstat(NETSTAT), [
      { address: '192.168.1.1', interfaceName: 'en0' },
      { address: 'fe80::21c:42ff:fe00:18', interfaceName: 'en0' },
    ]);
    assert.equal(parseArp(ARP).get('192.168.1.1'), '00:1c:42:00:00:18');
    assert.equal(parseArp(ARP).has('192.168.1.23'), false);
    assert.equal(parseArp(ARP).has('192.168.1.255'), false);
  });

  it('of Windows, the preferred first', () => {
    assert.deepEqual(parseWindows(WINDOWS), [
      { address: '192.168.1.1', interfaceName: 'Wi-Fi', mac: '00:1c:42:00:00:18' },
      { address: '10.8.0.1', interfaceName: 'VPN' },
      { address: 'fe80::1', interfaceName: 'Wi-Fi', mac: '00:1c:42:00:00:18' },
    ]);
  });

  for (const output of ['', 'null', '[]', '{"routes":{}}', '{"routes":[null,1]}', 'Access is denied.'])
    it(`none of ${JSON.stringify(output)}`, () => {
      assert.deepEqual(parseWindows(output), []);
      assert.deepEqual(parseNetstat(output), []);
      assert.equal(parseArp(output).size, 0);
      assert.deepEqual(parseIpv6Routes(output), []);
    });

  for (const [text, expected] of [
    ['0:1C:42:0:0:18', '00:1c:42:00:00:18'],
    ['00-1C-42-00-00-18', '00:1c:42:00:00:18'],
    ['00:00:00:00:00:00', undefined],
    ['ff:ff:ff:ff:ff:ff', undefined],
    ['1:2:3', undefined],
    ['', undefined],
  ] as const)
    it(`MAC ${text || 'empty'}`, () => assert.equal(macAddress(text), expected));
});
