import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PinholeMapper } from '../src/pinhole-mapper.ts';
import { UpnpMapper } from '../src/upnp-mapper.ts';
import { FakeIgd, HOST, HOST_6, place, ROUTER } from './fake-igd.ts';

const never = new AbortController().signal;
const WISH = { protocol: 'udp', internalPort: 4000, lifetimeS: 7200 } as const;

function mapperOf(igd: FakeIgd) {
  const there = place(igd);
  return { ...there, mapper: new UpnpMapper(there.parts) };
}

describe('UpnpMapper', () => {
  for (const [name, version, service] of [
    ['IGD 2', 2, 'WANIPConnection'],
    ['IGD 1', 1, 'WANIPConnection'],
    ['a PPP connection', 1, 'WANPPPConnection'],
  ] as const)
    it(`finds, maps, refreshes and unmaps: ${name}`, async () => {
      const igd = Object.assign(new FakeIgd(), { version, service });
      const { clock, mapper } = mapperOf(igd);
      assert.deepEqual(await clock.complete(mapper.discover(never)), {
        address: ROUTER,
        description: 'UPnP: Fake router',
        externalAddress: '203.0.113.7',
      });
      const mapping = await clock.complete(mapper.map(WISH, never));
      assert.equal(mapping.externalAddress, '203.0.113.7');
      assert.equal(mapping.externalPort, 4000);
      assert.deepEqual(igd.table.get('UDP 4000'), { client: HOST, internalPort: 4000, leaseS: 7200 });
      assert.deepEqual(await clock.complete(mapper.refresh(mapping, never)), mapping);
      await clock.complete(mapper.unmap(mapping, never));
      assert.equal(igd.table.size, 0);
      await clock.complete(mapper.unmap(mapping, never)); // twice does no harm
    });

  it('writes an entry again only past half of its life, or when it is lost', async () => {
    const igd = new FakeIgd();
    const { clock, mapper } = mapperOf(igd);
    const mapping = await clock.complete(mapper.map(WISH, never));
    const writes = (): number => igd.actions.filter((action) => action.startsWith('Add')).length;
    const refresh = () => clock.complete(mapper.refresh(mapping, never));
    igd.table.get('UDP 4000')!.leaseS = 4000;
    assert.equal((await refresh()).lifetimeS, 4000);
    assert.equal(writes(), 1);
    igd.table.get('UDP 4000')!.leaseS = 3600;
    assert.equal((await refresh()).lifetimeS, 7200);
    assert.equal(writes(), 2);
    igd.table.clear();
    igd.externalAddress = '203.0.113.99';
    assert.equal((await refresh()).externalAddress, '203.0.113.99');
    assert.equal(writes(), 3);
    assert.equal(igd.table.size, 1);
  });

  it("takes another port where somebody else's mapping is, and leaves that alone", async () => {
    for (const version of [1, 2]) {
      const igd = Object.assign(new FakeIgd(), { version });
      const { clock, mapper } = mapperOf(igd);
      igd.table.set('UDP 4000', { client: '192.168.1.66', internalPort: 4000, leaseS: 0 });
      const mapping = await clock.complete(mapper.map(WISH, never));
      assert.notEqual(mapping.externalPort, 4000);
      assert.equal(igd.table.get('UDP 4000')?.client, '192.168.1.66');
      await clock.complete(mapper.unmap({ ...mapping, externalPort: 4000 }, never));
      assert.equal(igd.table.get('UDP 4000')?.client, '192.168.1.66');
    }
  });

  it('takes another port when the own one was taken over meanwhile', async () => {
    const igd = Object.assign(new FakeIgd(), { version: 1 });
    const { clock, mapper } = mapperOf(igd);
    const mapping = await clock.complete(mapper.map(WISH, never));
    igd.table.set('UDP 4000', { client: '192.168.1.66', internalPort: 1, leaseS: 0 });
    const refreshed = await clock.complete(mapper.refresh(mapping, never));
    assert.notEqual(refreshed.externalPort, 4000);
  });

  it('finds the device again after a restart at another port', async () => {
    const igd = new FakeIgd();
    const { clock, mapper } = mapperOf(igd);
    const mapping = await clock.complete(mapper.map(WISH, never));
    igd.table.clear();
    igd.location = igd.location.replace(':5000', ':6000');
    igd.spoil = (answer, { url }) =>
      url.includes(':5000') ? Promise.reject(new Error('dial ended: refused')) : answer;
    await clock.complete(mapper.refresh(mapping, never));
    assert.equal(igd.table.size, 1);
  });

  it('has nothing to find without a router, within 2.5 s', async () => {
    const igd = new FakeIgd();
    igd.search = () => [];
    const { clock, mapper } = mapperOf(igd);
    assert.equal(await clock.complete(mapper.discover(never)), undefined);
    assert.equal(clock.now(), 2500);
    await assert.rejects(
      clock.complete(mapper.map(WISH, never)),
      /no router on this network answers to UPnP/,
    );
  });

  it('stops with its signal', async () => {
    const igd = new FakeIgd();
    igd.search = () => [];
    const { clock, mapper } = mapperOf(igd);
    const stop = new AbortController();
    clock.schedule(50, () => stop.abort(new Error('enough')));
    await assert.rejects(clock.complete(mapper.discover(stop.signal)), { message: 'enough' });
  });

  for (const handle of ['', '{}', '[]', '{"address":"192.168.1.1"}'])
    it(`refuses the damaged record ${handle}`, async () => {
      const { clock, mapper } = mapperOf(new FakeIgd());
      const mapping = await clock.complete(mapper.map(WISH, never));
      await assert.rejects(clock.complete(mapper.unmap({ ...mapping, handle }, never)), /damaged/);
    });

  it('unmaps at no other router than the one it mapped at', async () => {
    const { clock, mapper } = mapperOf(new FakeIgd());
    const mapping = await clock.complete(mapper.map(WISH, never));
    const handle = mapping.handle.replace(ROUTER, '192.168.2.1');
    await assert.rejects(clock.complete(mapper.unmap({ ...mapping, handle }, never)), /at another router/);
  });
});

describe('PinholeMapper', () => {
  it('opens, renews, reopens and closes', async () => {
    const igd = new FakeIgd();
    const { parts, clock } = place(igd);
    const mapper = new PinholeMapper(parts);
    assert.equal((await clock.complete(mapper.discover(never)))?.externalAddress, HOST_6);
    const mapping = await clock.complete(mapper.map(WISH, never));
    assert.deepEqual([mapping.externalAddress, mapping.externalPort], [HOST_6, 4000]);
    assert.equal(igd.pinholes.get(7), `17 ${HOST_6} 4000`);
    assert.ok(igd.urls.includes('http://[fe80::1]:5000/ctl/IP6FCtl'));
    assert.deepEqual(await clock.complete(mapper.refresh(mapping, never)), mapping);
    igd.pinholes.clear();
    await clock.complete(mapper.refresh(mapping, never));
    assert.equal(igd.pinholes.size, 1);
    await clock.complete(mapper.unmap(mapping, never));
    assert.equal(igd.pinholes.size, 0);
    await clock.complete(mapper.unmap(mapping, never));
  });

  it('speaks IPv4 with a router whose HTTP has no IPv6', async () => {
    const igd = new FakeIgd();
    igd.spoil = (answer, { url }) => (url.includes('[') ? Promise.reject(new Error('refused')) : answer);
    const { parts, clock } = place(igd);
    await clock.complete(new PinholeMapper(parts).map(WISH, never));
    assert.equal(igd.pinholes.size, 1);
  });

  for (const [name, spoil] of [
    ['of version 1', (igd) => (igd.version = 1)],
    [
      'that allows no openings',
      (igd) => (igd.outcomes['GetFirewallStatus'] = () => ({ FirewallEnabled: 1, InboundPinholeAllowed: 0 })),
    ],
    [
      'without a firewall',
      (igd) => (igd.outcomes['GetFirewallStatus'] = () => ({ FirewallEnabled: 0, InboundPinholeAllowed: 1 })),
    ],
    ['that refuses', (igd) => (igd.outcomes['GetFirewallStatus'] = () => 606)],
  ] satisfies [string, (igd: FakeIgd) => unknown][])
    it(`leaves a router alone ${name}`, async () => {
      const igd = new FakeIgd();
      spoil(igd);
      const { parts, clock } = place(igd);
      assert.equal(await clock.complete(new PinholeMapper(parts).discover(never)), undefined);
    });
});
