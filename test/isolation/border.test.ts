import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type {
  Attempt,
  Evidence,
  JsonValue,
  PrepareContext,
  PunchOutcome,
  PunchStrategy,
  UdpLease,
  VerifiedCheck,
} from '@awl/api';
import { pair, random, realClock } from '../../core/plugin-host/test/support/fakes.ts';
import {
  isolatedHost,
  oneStrategy,
  temporaryDirectory,
  writePlugin,
  type IsolatedHost,
} from './support/plugins.ts';
import { FakeSockets } from './support/sockets.ts';

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** An attempt that remembers what the strategy did. */
function fakeAttempt(
  sockets: FakeSockets,
  changes: Partial<Attempt> = {},
): Attempt & { readonly said: JsonValue[]; readonly shown: unknown[] } {
  const said: JsonValue[] = [];
  const shown: unknown[] = [];
  const startMs = realClock.now();
  return {
    role: 'controlling',
    leases: [],
    peerAdvert: undefined,
    pair,
    budget: { sockets: 10, probes: 10, probesPerSecond: 10, deadlineMs: 1000 },
    lateMs: 0,
    clock: {
      now: () => realClock.now() - startMs,
      schedule: (delayMs, task) => realClock.schedule(delayMs, task),
    },
    random,
    signal: new AbortController().signal,
    log,
    sockets,
    nextCheck: () => Promise.resolve(undefined),
    exchange: (message) => Promise.resolve(void said.push(message)),
    nextMessage: () => Promise.resolve(undefined),
    progress: (progress) => shown.push(progress),
    ...changes,
    said,
    shown,
  };
}

async function withStrategy(
  code: string,
  use: (strategy: PunchStrategy, isolated: IsolatedHost) => Promise<void>,
  changes: { readonly [key: string]: unknown } = {},
): Promise<void> {
  using parent = temporaryDirectory();
  await using isolated = isolatedHost();
  await isolated.host.start();
  const module = `import { connected, failed } from '@awl/api';
    const assess = () => ({ likelihood: 0.5, reason: 'perhaps' });
    export function activate(context) { context.strategies.register({ id: 'one@1', assess, ${code} }); }`;
  await isolated.host.develop(writePlugin(String(parent), module, { ...oneStrategy, ...changes }));
  await use(isolated.registry.strategies.get('one@1')!, isolated);
}

const prepareContext = (sockets: FakeSockets): PrepareContext => ({
  sockets,
  local: pair.local,
  signal: new AbortController().signal,
  log,
});

test('a whole attempt crosses the border: leases, advert, schedule, messages, progress, the check', async () => {
  const code = `
    async prepare({ sockets }) {
      const [kept, spare] = await sockets.openUdp({ count: 2 });
      return { leases: [kept], advert: await kept.reflexive() };
    },
    async punch(attempt) {
      const [lease] = attempt.leases;
      if (Math.abs(attempt.clock.now()) > 5000) return failed('internal', 'the clock is off');
      const sent = await lease.schedule([{ kind: 'check', to: attempt.peerAdvert, atMs: 0, ttl: 3 }, { kind: 'raw', to: attempt.peerAdvert, atMs: 5, payload: new Uint8Array([200, 1]) }]).done;
      lease.sweep({ kind: 'check', to: attempt.peerAdvert.address, ports: 'random', seed: 5, count: 600, ratePps: 2000 })[Symbol.dispose]();
      attempt.progress({ done: sent, of: 2 });
      await attempt.exchange({ role: attempt.role });
      const message = await attempt.nextMessage(10);
      if (message?.hello !== 'you') return failed('internal', 'no message');
      return connected(await attempt.nextCheck(100));
    }`;
  await withStrategy(code, async (strategy) => {
    const sockets = new FakeSockets();
    const { leases, advert } = await strategy.prepare!(prepareContext(sockets));
    assert.equal(leases.length, 1);
    assert.equal(sockets.open.size, 1, 'the lease that was not kept is closed');
    assert.deepEqual(advert, { address: '203.0.113.1', port: 40_001 });
    const peer = { address: '198.51.100.1', port: 50_000 };
    const check: VerifiedCheck = { lease: leases[0]!, remote: peer, rttMs: 12 };
    const attempt = fakeAttempt(sockets, {
      leases,
      peerAdvert: { ...peer },
      nextCheck: () => Promise.resolve(check),
      nextMessage: () => Promise.resolve({ hello: 'you' }),
    });
    const outcome = await strategy.punch(attempt);
    assert.deepEqual(outcome, { outcome: 'connected', check } satisfies PunchOutcome);
    assert.deepEqual(
      sockets.scheduled.map(({ kind, atMs, ttl, payload }) => [kind, atMs, ttl, payload && [...payload]]),
      [
        ['check', 0, 3, undefined],
        ['raw', 5, undefined, [200, 1]],
      ],
    );
    assert.deepEqual([sockets.sweeps.length, sockets.stopped], [1, 1]);
    assert.deepEqual([attempt.said, attempt.shown], [[{ role: 'controlling' }], [{ done: 2, of: 2 }]]);
  });
});

test('a check that never was is no connection', async () => {
  const code = `punch: async (attempt) => connected({ lease: (await attempt.sockets.openUdp())[0], remote: { address: '192.0.2.9', port: 9 }, rttMs: 1 })`;
  await withStrategy(code, async (strategy) => {
    const outcome = await strategy.punch(fakeAttempt(new FakeSockets()));
    assert.deepEqual(outcome, {
      outcome: 'failed',
      code: 'internal',
      reason: 'it named a path that no check went over',
    });
  });
});

test('an abort reaches the strategy; one that ignores it is left behind', async () => {
  const code = `async punch(attempt) {
      attempt.progress({ done: 0, of: 1 });
      await new Promise((resolve) => attempt.signal.addEventListener('abort', resolve));
      return attempt.role === 'controlling' ? failed('aborted', 'as told') : new Promise(() => {});
    }`;
  await withStrategy(code, async (strategy) => {
    for (const [role, expected] of [
      ['controlling', /as told/],
      ['controlled', /the attempt ended/],
    ] as const) {
      const abort = new AbortController();
      const { promise: began, resolve } = Promise.withResolvers<void>();
      const outcome = strategy.punch(
        fakeAttempt(new FakeSockets(), { role, signal: abort.signal, progress: () => resolve() }),
      );
      await began;
      abort.abort();
      assert.match(JSON.stringify(await outcome), expected);
    }
  });
});

test('a lease belongs to its attempt: not after it, not to another, not without the capability', async () => {
  const code = `async punch(attempt) {
      const [lease] = await attempt.sockets.openUdp();
      const to = { address: '192.0.2.1', port: 1 };
      const before = globalThis.stolen ? await globalThis.stolen.schedule([{ kind: 'check', to, atMs: 0 }]).done.catch((error) => error.code) : 'none';
      globalThis.stolen = lease;
      const tcp = await attempt.sockets.openTcp().catch((error) => error.code);
      return failed('no-answer', before + ' ' + tcp);
    }`;
  await withStrategy(code, async (strategy) => {
    const sockets = new FakeSockets();
    const reasons = [];
    for (let round = 0; round < 2; round += 1) reasons.push(await strategy.punch(fakeAttempt(sockets)));
    assert.deepEqual(
      reasons.map((outcome) => outcome.outcome === 'failed' && outcome.reason),
      ['none ERR_PLUGIN_CAPABILITY', 'ERR_PLUGIN_CAPABILITY ERR_PLUGIN_CAPABILITY'],
    );
    assert.equal(sockets.scheduled.length, 0);
  });
});

test('sockets that are never given back: bounded, and closed when the process ends', async () => {
  const code = `async prepare({ sockets }) {
      for (let count = 0; count < 3000; count += 100) {
        try { await sockets.openUdp({ count: 100 }); } catch (error) { globalThis.refused = error.code; break; }
      }
      await new Promise(() => {});
    },
    async punch() {
      while (!globalThis.refused) await new Promise(setImmediate);
      return failed('no-answer', String(globalThis.refused));
    }`;
  await withStrategy(code, async (strategy, isolated) => {
    const sockets = new FakeSockets();
    const prepared = strategy.prepare!(prepareContext(sockets));
    prepared.catch(() => undefined);
    while (sockets.open.size < 1000) await new Promise(setImmediate);
    assert.match(JSON.stringify(await strategy.punch(fakeAttempt(sockets))), /ERR_BUDGET_SOCKETS/);
    assert.equal(sockets.open.size, 1000);
    await isolated.host.disable('test');
    assert.equal(sockets.open.size, 0);
    await assert.rejects(prepared);
  });
});

test('raw datagrams cross at most a hundred times a second', async () => {
  const code = `async punch(attempt) {
      const [lease] = await attempt.sockets.openUdp();
      let count = 0;
      const got = new Promise((resolve) => { lease.onDatagram = (payload, from) => { count += 1; if (payload[0] === 255) resolve(from.port); }; });
      attempt.progress({ done: 0, of: 1 });
      await attempt.nextMessage();
      return failed('no-answer', count <= 100 && count > 0 ? 'bounded' : String(count));
    }`;
  await withStrategy(code, async (strategy) => {
    const sockets = new FakeSockets();
    const { promise: message, resolve } = Promise.withResolvers<undefined>();
    const outcome = strategy.punch(
      fakeAttempt(sockets, {
        nextMessage: () => message,
        progress: () => {
          const [lease] = [...sockets.open.values()] as UdpLease[];
          for (let count = 0; count < 5000; count += 1)
            lease?.onDatagram?.(new Uint8Array([200]), { address: '192.0.2.1', port: 7 });
          resolve(undefined);
        },
      }),
    );
    assert.match(JSON.stringify(await outcome), /bounded/);
  });
});

test('mappers, probes, hooks, commands, storage, settings, views, state and host cross as well', async () => {
  using parent = temporaryDirectory();
  await using isolated = isolatedHost();
  const { host, registry, store, memory } = isolated;
  registry.host = {
    interfaces: () => [
      { name: 'eth0', address: '192.0.2.2', family: 4, prefixLength: 24, internal: false, kind: 'link' },
    ],
    gateways: () => Promise.resolve([{ address: '192.0.2.1', interfaceName: 'eth0' }]),
    lanHttp: (request) =>
      Promise.resolve({ status: 200, headers: { a: 'b' }, body: `${request.method} ${request.url}` }),
  };
  await host.start();
  const module = `
    export function activate(context) {
      const evidence = { protocol: 'udp', field: 'mapping', value: 'EIM', weight: 0.5, observation: 'seen', source: 'probe' };
      context.portMappers.register({
        id: 'mapper',
        discover: async () => ({ address: (await context.host.gateways())[0].address, description: context.host.interfaces()[0].name }),
        map: async (request) => ({ ...request, externalPort: 1234, externalAddress: '203.0.113.1', handle: 'h' }),
        refresh: async (mapping) => mapping,
        unmap: async () => {},
      });
      context.natProbes.register({ id: 'probe', async *gather() { yield evidence; yield { ...evidence, field: 'filtering', value: 'EIF' }; } });
      context.hooks.on('candidate.filter', (candidates) => candidates.filter(({ type }) => type !== 'relayed'));
      context.hooks.on('peer.authorize', ({ peer }) => peer === 'bad' ? { deny: 'I do not like it' } : undefined);
      context.commands.register({ id: 'all', run: async (argument) => {
        await context.storage.set('key', argument);
        context.views.set('view', { kind: 'text', text: 'shown' });
        context.statusItems.set('item', 'busy');
        return {
          stored: await context.storage.get('key'),
          missing: (await context.storage.get('none')) === undefined,
          setting: context.configuration.get('test.count'),
          name: context.engine.state().node.name,
          http: (await context.host.lanHttp({ url: 'http://192.0.2.1/', method: 'GET', signal: context.signal })).body,
        };
      } });
      context.configuration.onDidChange((key, value) => context.statusItems.set('item', key + '=' + value));
    }`;
  const contributes = {
    portMappers: [{ id: 'mapper', title: 'Mapper' }],
    natProbes: [{ id: 'probe', title: 'Probe' }],
    hooks: [{ name: 'candidate.filter' }, { name: 'peer.authorize' }],
    commands: [{ id: 'all', title: 'All' }],
    views: [{ id: 'view', kind: 'text', title: 'View' }],
    statusItems: [{ id: 'item', title: 'Item' }],
    configuration: { type: 'object', properties: { 'test.count': { type: 'integer', default: 3 } } },
  };
  await host.develop(writePlugin(String(parent), module, { capabilities: ['udp', 'lan-http'], contributes }));
  const signal = new AbortController().signal;
  const mapper = registry.mappers.get('mapper')!;
  assert.deepEqual(await mapper.discover(signal), { address: '192.0.2.1', description: 'eth0' });
  const mapping = await mapper.map({ protocol: 'udp', internalPort: 1, lifetimeS: 60 }, signal);
  assert.equal(mapping.externalPort, 1234);
  assert.deepEqual(await mapper.refresh(mapping, signal), mapping);
  await mapper.unmap(mapping, signal);
  const evidence: Evidence[] = [];
  const probe = registry.probes.get('probe')!;
  for await (const one of probe.gather({ sockets: new FakeSockets(), clock: realClock, random, signal }))
    evidence.push(one);
  assert.deepEqual(
    evidence.map(({ field, value }) => [field, value]),
    [
      ['mapping', 'EIM'],
      ['filtering', 'EIF'],
    ],
  );
  const candidate = {
    type: 'host',
    protocol: 'udp',
    endpoint: { address: '192.0.2.1', port: 1 },
    priority: 1,
  };
  assert.deepEqual(await registry.call('candidate.filter', [candidate, { ...candidate, type: 'relayed' }]), [
    [candidate],
  ]);
  assert.deepEqual(await registry.call('peer.authorize', { peer: 'bad', by: 'ticket' }), [
    { deny: 'I do not like it' },
  ]);
  assert.deepEqual(await registry.call('peer.authorize', { peer: 'good', by: 'ticket' }), [undefined]);
  assert.deepEqual(await host.runCommand('all', { n: 1 }), {
    stored: { n: 1 },
    missing: true,
    setting: 3,
    name: 'test',
    http: 'GET http://192.0.2.1/',
  });
  assert.deepEqual(store.state.views['view']?.data, { kind: 'text', text: 'shown' });
  const changed = new EventTarget();
  using _watch = store.subscribe(
    () =>
      store.state.statusItems['item']?.text === 'test.count=5' && changed.dispatchEvent(new Event('changed')),
  );
  const seen = once(changed, 'changed');
  memory.set('test.count', 5);
  await seen;
});

test('results that break the API are refused, and an authorizing hook that gives one denies', async () => {
  using parent = temporaryDirectory();
  await using isolated = isolatedHost();
  await isolated.host.start();
  const module = `export function activate(context) {
      context.strategies.register({ id: 'one@1', assess: () => ({ likelihood: 'high', reason: 5 }), punch: async () => 'yes' });
      context.hooks.on('candidate.filter', () => [{ endpoint: 'everywhere' }]);
      context.hooks.on('forward.accept', () => 'allowed');
    }`;
  const contributes = {
    ...oneStrategy.contributes,
    hooks: [{ name: 'candidate.filter' }, { name: 'forward.accept' }],
  };
  await isolated.host.develop(writePlugin(String(parent), module, { contributes }));
  const strategy = isolated.registry.strategies.get('one@1')!;
  assert.match(
    (await strategy.assess(pair)).reason,
    /answer to strategy.assess: \/likelihood must be number/,
  );
  assert.equal((await strategy.assess(pair)).likelihood, 0);
  assert.match(JSON.stringify(await strategy.punch(fakeAttempt(new FakeSockets()))), /internal/);
  await assert.rejects(isolated.registry.call('candidate.filter', []), /result of candidate.filter/);
  await assert.rejects(isolated.registry.call('forward.accept', {}), /result of forward.accept/);
});
