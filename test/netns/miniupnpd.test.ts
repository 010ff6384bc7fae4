/** Port mappings at the real miniupnpd, over real sockets: what a mapper says is looked up in the router's own table. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MapperGateway, PortMapping } from '@awl/api';
import { HOST_6, NEIGHBOUR, UpnpHome, WAN, whyNoHome, type Keeper } from './support/upnp-home.ts';

/** From the check on. */
const NOTICED_WITHIN_MS = 5000;
const MAPPERS = [
  { id: 'pcp', family: 4 },
  { id: 'nat-pmp', family: 4 },
  { id: 'upnp', family: 4 },
  { id: 'pcp-ipv6', family: 6 },
  { id: 'upnp-ipv6', family: 6 },
] as const;

const skip = await whyNoHome();

for (const { id, family } of MAPPERS)
  describe(`miniupnpd by ${id}`, { skip }, () => {
    const external = family === 4 ? WAN : HOST_6;
    const inUrl = family === 4 ? WAN : `[${HOST_6}]`;
    const udp = { protocol: 'udp', internalPort: 40_000, family };
    const tcp = { protocol: 'tcp', internalPort: 40_001, family };
    const acquire = (keeper: Keeper, wish: object) => keeper.ask<PortMapping | null>('acquire', wish);

    it('maps, is reached from outside, renews and unmaps', async () => {
      await using home = await UpnpHome.create();
      const keeper = home.keeper(id);
      const [gateway] = await keeper.ask<(MapperGateway | undefined)[]>('discover');
      assert.equal(gateway?.address, family === 4 ? '192.168.10.1' : 'fe80::1');
      await keeper.ask('serve', tcp.internalPort);
      assert.equal(await home.fetch(inUrl, tcp.internalPort), '', 'closed before');

      const mapped = await acquire(keeper, udp);
      assert.deepEqual([mapped?.externalAddress, mapped?.externalPort], [external, 40_000]);
      await acquire(keeper, tcp);
      assert.deepEqual(await home.ports(), [40_000, 40_001]);
      assert.equal(await home.fetch(inUrl, tcp.internalPort), 'served');

      const before = await home.table();
      assert.equal((await keeper.ask<PortMapping[]>('check')).length, 2);
      assert.deepEqual((await home.table()).sort(), before.sort(), 'renewed, not doubled');

      await keeper.ask('release', udp);
      // This daemon forgets, when it renews an IPv6 mapping of PCP, whose it is: it is left to end soon instead.
      if (id === 'pcp-ipv6') return;
      await keeper.ask('exit');
      assert.deepEqual(await home.ports(), []);
    });

    it('unmaps what was never renewed, and what a crash left', async () => {
      await using home = await UpnpHome.create();
      const keeper = home.keeper(id);
      await acquire(keeper, udp);
      await acquire(keeper, tcp);
      await keeper.kill();
      assert.deepEqual(await home.ports(), [40_000, 40_001]);
      const next = home.keeper(id);
      await next.ask('start');
      assert.deepEqual(await home.ports(), []);
      await acquire(next, udp);
      await next.ask('exit');
      assert.deepEqual(await home.ports(), []);
    });

    it('makes its mappings again after the router restarted', async () => {
      await using home = await UpnpHome.create();
      const keeper = home.keeper(id);
      await acquire(keeper, udp);
      await acquire(keeper, tcp);
      await home.stopRouter();
      await home.startRouter();
      assert.deepEqual(await home.ports(), []);
      const started = performance.now();
      await keeper.ask('check');
      assert.ok(performance.now() - started < NOTICED_WITHIN_MS);
      assert.deepEqual(await home.ports(), [40_000, 40_001]);
    });

    if (family === 4) {
      it('notices another external address', async () => {
        await using home = await UpnpHome.create();
        const keeper = home.keeper(id);
        await acquire(keeper, tcp);
        await keeper.ask('serve', tcp.internalPort);
        await home.changeWan(WAN, '11.0.0.9');
        const started = performance.now();
        const [mapping] = await keeper.ask<PortMapping[]>('check');
        assert.ok(performance.now() - started < NOTICED_WITHIN_MS);
        assert.equal(mapping?.externalAddress, '11.0.0.9');
        assert.equal(await home.fetch('11.0.0.9', mapping.externalPort), 'served');
      });

      it("takes another port where a neighbour's mapping is, and leaves that alone", async () => {
        await using home = await UpnpHome.create();
        const keeper = home.keeper(id);
        await keeper.ask('neighbour', NEIGHBOUR);
        const theirs = await home.table();
        assert.equal(theirs.length, 2);
        const mapping = await acquire(keeper, udp);
        assert.ok(mapping && mapping.externalPort !== udp.internalPort);
        assert.ok((await home.ports()).includes(mapping.externalPort));
        await keeper.ask('exit');
        assert.deepEqual(await home.table(), theirs);
      });

      it('offers no mapping behind another NAT, and says why', async () => {
        await using home = await UpnpHome.create();
        await home.changeWan(WAN, '100.64.0.2');
        const keeper = home.keeper(id);
        assert.equal(await acquire(keeper, udp), null);
        const reasons = await keeper.ask<[string, string][]>('reasons');
        assert.match(reasons[0]![1], /no external address/);
        assert.deepEqual(await home.ports(), []);
      });
    }
  });
