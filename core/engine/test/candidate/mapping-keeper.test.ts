import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonValue, Logger } from '@awl/api';
import { fakeState, VirtualClock } from '@awl/testkit';
import { MappingKeeper } from '../../src/candidate/mapping-keeper.ts';
import { StateStore } from '../../src/client.ts';
import { HookBus } from '../../src/hook/hook-bus.ts';
import { FakeMapper } from './fake-mapper.ts';

const NOW = Date.UTC(2026, 4, 12);
const UDP = { protocol: 'udp', internalPort: 4000 } as const;
const never = new AbortController().signal;

/** A keeper over some mappers, on a virtual clock. */
function place(mappers: FakeMapper[], stored?: JsonValue) {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const line = (message: string): void => void lines.push(message);
  const log: Logger = { debug: line, info: line, warn: line, error: line };
  const state = new StateStore(clock, fakeState());
  const hooks = new HookBus(clock, () => {});
  const changes: (number | null)[] = [];
  hooks.tap('mapping.didChange', ({ mapping }) => void changes.push(mapping && mapping.externalPort), {
    plugin: 'test',
    capabilities: [],
  });
  const store = { value: stored };
  const keeper = new MappingKeeper({
    mappers: () => mappers,
    clock,
    wallClock: () => NOW + clock.now(),
    storage: {
      load: () => Promise.resolve(store.value),
      save: (value) => {
        store.value = value;
        return Promise.resolve();
      },
    },
    hooks,
    state,
    log,
  });
  const acquire = (wish: Parameters<MappingKeeper['acquire']>[0] = UDP) =>
    clock.complete(keeper.acquire(wish, never));
  return { clock, keeper, state, store, changes, lines, acquire };
}

describe('MappingKeeper', () => {
  it('maps, shows and removes', async () => {
    const mapper = new FakeMapper('pcp');
    const { clock, keeper, state, store, changes, acquire } = place([mapper]);
    const mapping = await acquire();
    assert.equal(mapping?.externalPort, 4001);
    assert.deepEqual(keeper.mappings(), [mapping]);
    assert.deepEqual(state.state.nat.mappings, [{ ...mapping, mapper: 'pcp', expiresAt: NOW + 7_200_000 }]);
    assert.equal((store.value as JsonValue[]).length, 1);
    keeper.release(UDP);
    await clock.run({ untilMs: 1000 });
    assert.equal(mapper.table.size, 0);
    assert.deepEqual([keeper.mappings(), state.state.nat.mappings, store.value], [[], [], []]);
    assert.deepEqual(changes, [4001, null]);
  });

  it('prefers PCP to NAT-PMP to UPnP, and goes on where one fails', async () => {
    const [upnp, natPmp, pcp] = ['upnp', 'nat-pmp', 'pcp'].map((id) => new FakeMapper(id)) as [
      FakeMapper,
      FakeMapper,
      FakeMapper,
    ];
    natPmp.present = false;
    pcp.failure = undefined;
    const { acquire, keeper, clock, lines } = place([upnp, natPmp, pcp]);
    await acquire();
    assert.deepEqual([upnp.table.size, pcp.table.size], [0, 1]);
    keeper.release(UDP);
    await clock.run({ untilMs: 1000 });
    pcp.map = () => Promise.reject(new Error('NOT_AUTHORIZED'));
    await acquire();
    assert.deepEqual([upnp.table.size, pcp.table.size], [1, 0]);
    assert.deepEqual(lines, ['pcp: NOT_AUTHORIZED']);
  });

  it('asks mappers of a family for that family only', async () => {
    const [v4, v6] = [new FakeMapper('pcp'), new FakeMapper('pcp-ipv6')];
    v6.externalAddress = '2001:db8::5';
    const { acquire } = place([v4, v6]);
    const mapping = await acquire({ ...UDP, family: 6 });
    assert.equal(mapping?.externalAddress, '2001:db8::5');
    assert.equal(v4.table.size, 0);
  });

  it('holds one mapping for many, until the last gives it back', async () => {
    const mapper = new FakeMapper('pcp');
    const { clock, keeper } = place([mapper]);
    await clock.complete(Promise.all([keeper.acquire(UDP, never), keeper.acquire(UDP, never)]));
    assert.deepEqual(mapper.calls, ['discover', 'map udp 4000']);
    keeper.release(UDP);
    assert.equal(keeper.mappings().length, 1);
    keeper.release(UDP);
    assert.equal(keeper.mappings().length, 0);
  });

  it('renews at half of a short life, and every minute otherwise', async () => {
    const mapper = new FakeMapper('pcp');
    const { clock, acquire } = place([mapper]);
    mapper.lifetimeS = 40;
    await acquire();
    await clock.run({ untilMs: 19_999 });
    assert.equal(mapper.calls.includes('refresh udp 4000'), false);
    mapper.lifetimeS = 7200;
    await clock.run({ untilMs: 20_001 });
    assert.equal(mapper.calls.at(-1), 'refresh udp 4000');
    mapper.calls.length = 0;
    await clock.run({ untilMs: 20_000 + 180_001 });
    assert.deepEqual(mapper.calls, Array(3).fill('refresh udp 4000'));
  });

  it('notices another external address at the next check', async () => {
    const mapper = new FakeMapper('pcp');
    const { clock, keeper, store, changes, acquire } = place([mapper]);
    await acquire();
    mapper.externalAddress = '203.0.113.99';
    await clock.run({ untilMs: 60_001 });
    assert.equal(keeper.mappings()[0]?.externalAddress, '203.0.113.99');
    assert.match(JSON.stringify(store.value), /203\.0\.113\.99/);
    assert.deepEqual(changes, [4001, 4001]);
  });

  it('drops a mapping when the router gets a private address, and takes it up when it is public again', async () => {
    const mapper = new FakeMapper('pcp');
    const { clock, keeper, acquire } = place([mapper]);
    await acquire();
    mapper.externalAddress = '10.1.2.3';
    await clock.run({ untilMs: 61_000 });
    assert.deepEqual(keeper.mappings(), []);
    assert.match(keeper.reasons().get('pcp')!, /10\.1\.2\.3 is private \(RFC 1918\)/);
    mapper.externalAddress = '203.0.113.7';
    await clock.run({ untilMs: 500_000 });
    assert.equal(keeper.mappings().length, 1);
    assert.equal(keeper.reasons().size, 0);
  });

  for (const [address, expected] of [
    ['192.168.0.2', /RFC 1918/],
    ['172.20.0.1', /RFC 1918/],
    ['100.64.0.1', /RFC 6598/],
    ['192.0.0.2', /RFC 7335/],
    ['0.0.0.0', /not connected/],
    ['127.0.0.1', /not one of the internet/],
    ['2001:db8::1', /told no address/],
    ['evil.example', /told no address/],
  ] as const)
    it(`offers no mapping at ${address}, and leaves none behind`, async () => {
      const mapper = new FakeMapper('upnp');
      mapper.externalAddress = address;
      const { clock, keeper, acquire } = place([mapper]);
      assert.equal(await acquire(), undefined);
      assert.match(keeper.reasons().get('upnp')!, expected);
      await clock.run({ untilMs: 10_000 });
      assert.equal(mapper.table.size, 0);
    });

  for (const [name, spoil] of [
    ['that grants no time', (mapper) => (mapper.lifetimeS = 0)],
    ['that refuses', (mapper) => (mapper.map = () => Promise.reject(new Error('no')))],
    ['that hangs', (mapper) => (mapper.map = () => new Promise(() => {}))],
    ['that is not there', (mapper) => (mapper.present = false)],
    ['that never answers', (mapper) => (mapper.silent = true)],
    ['of a plugin that gives nonsense', (mapper) => (mapper.map = () => Promise.resolve({} as never))],
  ] satisfies [string, (mapper: FakeMapper) => unknown][])
    it(`goes on without a router ${name}`, async () => {
      const [bad, good] = [new FakeMapper('pcp'), new FakeMapper('upnp')];
      spoil(bad);
      const { acquire } = place([bad, good]);
      assert.ok(await acquire());
      assert.equal(good.table.size, 1);
    });

  it('keeps a mapping while the router is silent for a moment', async () => {
    const mapper = new FakeMapper('pcp');
    const { clock, keeper, acquire, changes } = place([mapper]);
    await acquire();
    mapper.silent = true;
    await clock.run({ untilMs: 70_000 });
    mapper.silent = false;
    await clock.run({ untilMs: 200_000 });
    assert.equal(keeper.mappings().length, 1);
    assert.deepEqual(changes, [4001]);
  });

  it('takes the next mapper when the router stays silent', async () => {
    const [pcp, upnp] = [new FakeMapper('pcp'), new FakeMapper('upnp')];
    const { clock, keeper, acquire } = place([pcp, upnp]);
    await acquire();
    pcp.silent = true;
    await clock.run({ untilMs: 300_000 });
    assert.equal(upnp.table.size, 1);
    assert.equal(keeper.mappings().length, 1);
  });

  it('looks for routers anew when the network changed', async () => {
    const mapper = new FakeMapper('pcp');
    mapper.present = false;
    const { clock, keeper, acquire } = place([mapper]);
    assert.equal(await acquire(), undefined);
    mapper.present = true;
    assert.equal(await acquire(), undefined);
    await clock.complete(keeper.check({ anew: true }));
    assert.ok(await acquire());
  });

  it('makes nobody wait for a router that was not there, and finds it when it comes', async () => {
    const mapper = new FakeMapper('upnp');
    mapper.silent = true;
    const { clock, acquire } = place([mapper]);
    assert.equal(await acquire(), undefined);
    const waitedMs = clock.now();
    await clock.run({ untilMs: waitedMs + 90_000 });
    mapper.silent = false;
    const askedAtMs = clock.now();
    assert.equal(await acquire(), undefined);
    assert.equal(clock.now(), askedAtMs);
    assert.ok(await acquire());
  });

  it('gives up with its signal, and removes what was granted too late', async () => {
    const mapper = new FakeMapper('pcp');
    const { clock, keeper } = place([mapper]);
    const stop = new AbortController();
    const granted = keeper.acquire(UDP, stop.signal);
    stop.abort();
    assert.equal(await clock.complete(granted), undefined);
    await clock.run({ untilMs: 10_000 });
    assert.equal(mapper.table.size, 0);
    assert.deepEqual(keeper.mappings(), []);
  });

  it('removes all at exit, though one router is silent', async () => {
    const [pcp, upnp] = [new FakeMapper('pcp'), new FakeMapper('upnp')];
    const { clock, keeper, acquire, store } = place([pcp, upnp]);
    await acquire();
    pcp.silent = true;
    await acquire({ protocol: 'tcp', internalPort: 5000 });
    await clock.complete(keeper.releaseAll(), 5000);
    assert.equal(upnp.table.size, 0);
    assert.equal(
      (store.value as JsonValue[]).length,
      1,
      'what could not be removed waits for the next start',
    );
  });

  it('removes at the next start what a crash left', async () => {
    const mapper = new FakeMapper('pcp');
    const crashed = place([mapper]);
    await crashed.acquire();
    await crashed.clock.run({ untilMs: 10 });
    const next = place([mapper], crashed.store.value);
    await next.clock.complete(next.keeper.start());
    assert.equal(mapper.table.size, 0);
    assert.deepEqual(next.store.value, []);
  });

  it('removes it as soon as its mapper comes', async () => {
    const mapper = new FakeMapper('pcp');
    const crashed = place([mapper]);
    await crashed.acquire();
    const next = place([], crashed.store.value);
    await next.clock.complete(next.keeper.start());
    assert.equal(mapper.table.size, 1);
    await next.clock.complete(next.keeper.addMapper(mapper));
    assert.equal(mapper.table.size, 0);
  });

  it('removes it when its mapper comes later, before that maps anything', async () => {
    const mapper = new FakeMapper('pcp');
    const crashed = place([mapper]);
    await crashed.acquire();
    const mappers: FakeMapper[] = [];
    const next = place(mappers, crashed.store.value);
    await next.clock.complete(next.keeper.start());
    mappers.push(mapper);
    mapper.calls.length = 0;
    await next.acquire();
    assert.deepEqual(mapper.calls, ['discover', 'unmap udp 4000', 'map udp 4000']);
    assert.equal(mapper.table.size, 1);
  });

  for (const damaged of [
    null,
    'x',
    {},
    [null, 1, {}, { mapper: 'pcp', madeAt: NOW, mapping: { protocol: 'udp', internalPort: 0 } }],
    [
      {
        mapper: 'pcp',
        madeAt: 5,
        mapping: { ...UDP, externalPort: 1, externalAddress: '', lifetimeS: 1, handle: '' },
      },
    ],
  ] satisfies JsonValue[])
    it(`starts with a damaged or old store ${JSON.stringify(damaged).slice(0, 40)}`, async () => {
      const mapper = new FakeMapper('pcp');
      const { clock, keeper } = place([mapper], damaged);
      await clock.complete(keeper.start());
      assert.deepEqual(mapper.calls, []);
    });

  it('moves to another mapper when a plugin is disabled', async () => {
    const mappers = [new FakeMapper('pcp'), new FakeMapper('upnp')];
    const [pcp, upnp] = mappers as [FakeMapper, FakeMapper];
    const { clock, keeper, acquire } = place(mappers);
    await acquire();
    mappers.shift();
    await clock.complete(keeper.removeMapper(pcp));
    assert.equal(pcp.table.size, 0);
    await clock.run({ untilMs: 70_000 });
    assert.equal(upnp.table.size, 1);
  });
});
