import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failed, type Attempt, type PluginContext, type PunchStrategy } from '@awl/api';
import { makeHost, manifest, ManualClock, Memory, pair } from './support/fakes.ts';

const strategy = (id: string): PunchStrategy => ({
  id,
  assess: () => ({ likelihood: 0.5, reason: 'perhaps\u001b[31m' }),
  punch: async () => failed('no-answer', 'nobody there'),
});
const contributes = { strategies: [{ id: 'one', version: 1, transport: 'udp', title: 'One' }] };
const rejects = (code: string, message: RegExp) => (error: Error & { code?: string }) => {
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

test('code is loaded when the plan first asks, and once', async () => {
  const { host, registry, store } = makeHost({ clock: new ManualClock() });
  let loads = 0;
  host.addBuiltIn(manifest({ contributes }), () => {
    loads += 1;
    return { activate: (context) => void context.strategies.register(strategy('one@1')) };
  });
  await host.start();
  assert.equal(store.state.plugins['test']?.status, 'inactive');
  assert.equal(loads, 0);
  const proxy = registry.strategies.get('one@1');
  const [assessment] = await Promise.all([proxy?.assess(pair), proxy?.assess(pair)]);
  assert.deepEqual(assessment, { likelihood: 0.5, reason: 'perhaps\ufffd[31m' });
  assert.equal(loads, 1);
  assert.equal(store.state.plugins['test']?.status, 'active');
  assert.deepEqual(store.state.plugins['test']?.contributes, ['strategy one@1']);
  await host.disable('awl-plugin-test');
  assert.equal(registry.strategies.size, 0);
  assert.equal(store.state.plugins['test']?.status, 'disabled');
});

test('what the manifest does not name cannot be registered', async () => {
  const attempts: readonly ((context: PluginContext) => unknown)[] = [
    (context) => context.strategies.register(strategy('two@1')),
    (context) => context.hooks.on('peer.didAppear', () => undefined),
    (context) => context.commands.register({ id: 'x', run: () => null }),
    (context) => context.views.set('x', { kind: 'text', text: '' }),
    (context) => context.statusItems.set('x', ''),
  ];
  for (const attempt of attempts) {
    const { host, registry, store } = makeHost({ clock: new ManualClock() });
    host.addBuiltIn(manifest({ contributes }), () => ({ activate: (context) => void attempt(context) }));
    await host.start();
    const assessment = await registry.strategies.get('one@1')?.assess(pair);
    assert.equal(assessment?.likelihood, 0);
    assert.equal(store.state.plugins['test']?.code, 'ERR_PLUGIN_NOT_CONTRIBUTED');
    assert.equal(store.state.plugins['test']?.status, 'failed');
  }
});

test('exceptions of a strategy stay inside and are counted', async () => {
  const { host, registry, store } = makeHost({ clock: new ManualClock() });
  host.addBuiltIn(manifest({ contributes }), () => ({
    activate: (context) =>
      void context.strategies.register({
        id: 'one@1',
        assess: () => ({ likelihood: 7, reason: 'sure' }),
        punch: () => Promise.reject(new Error('broken')),
      }),
  }));
  await host.start();
  const proxy = registry.strategies.get('one@1');
  assert.match((await proxy?.assess(pair))?.reason ?? '', /plugin test: assess gave the likelihood 7/);
  const outcome = await proxy?.punch({ signal: new AbortController().signal } as Attempt);
  assert.deepEqual(outcome, { outcome: 'failed', code: 'internal', reason: 'plugin test: broken' });
  assert.equal(store.state.plugins['test']?.failures, 2);
});

test('three failed activations in five minutes quarantine it, over a restart, until it is enabled', async () => {
  const clock = new ManualClock();
  const memory = new Memory();
  let broken = true;
  const start = async () => {
    const made = makeHost({ clock, memory });
    made.host.addBuiltIn(
      manifest({ contributes: { ...contributes, hooks: [{ name: 'peer.authorize' }] } }),
      () => ({
        activate(context) {
          if (broken) throw new Error('out of luck');
          context.strategies.register(strategy('one@1'));
          context.hooks.on('peer.authorize', () => undefined);
        },
      }),
    );
    await made.host.start();
    return made;
  };
  const first = await start();
  const proxy = first.registry.strategies.get('one@1');
  for (const status of ['failed', 'failed', 'quarantined']) {
    clock.advance(1000);
    await proxy?.assess(pair);
    assert.equal(first.store.state.plugins['test']?.status, status);
  }
  assert.match(
    first.store.state.plugins['test']?.reason ?? '',
    /three failures in five minutes, the last: out of luck/,
  );
  assert.equal(first.registry.strategies.size, 0);
  assert.match(
    JSON.stringify(await first.registry.call('peer.authorize', {})),
    /"deny":"plugin test is quarantined/,
  );
  await first.host.close();

  broken = false;
  const second = await start();
  assert.equal(second.store.state.plugins['test']?.status, 'quarantined');
  await second.host.enable('test');
  assert.equal((await second.registry.strategies.get('one@1')?.assess(pair))?.likelihood, 0.5);
  assert.deepEqual(await second.registry.call('peer.authorize', {}), [undefined]);
  assert.equal(second.store.state.plugins['test']?.code, undefined);
});

test('an authorizing hook whose plugin cannot run fails closed', async () => {
  const { host, registry } = makeHost({ clock: new ManualClock() });
  host.addBuiltIn(manifest({ contributes: { hooks: [{ name: 'forward.accept' }] } }), () => ({
    activate: () => undefined,
  }));
  await host.start();
  await assert.rejects(
    registry.call('forward.accept', {}),
    rejects('ERR_PLUGIN_NOT_CONTRIBUTED', /has no tap on it/),
  );
});

test('two plugins with one id are both named', async () => {
  const { host, store } = makeHost({ clock: new ManualClock() });
  const empty = () => ({ activate: () => undefined });
  host.addBuiltIn(manifest({ name: 'awl-plugin-a', contributes }), empty);
  host.addBuiltIn(manifest({ name: 'awl-plugin-b', contributes }), empty);
  assert.throws(
    () => host.addBuiltIn(manifest({ name: '@awl/plugin-a' }), empty),
    rejects('ERR_PLUGIN_CONFLICT', /@awl\/plugin-a and awl-plugin-a are both called a/),
  );
  await host.start();
  assert.equal(store.state.plugins['b']?.code, 'ERR_PLUGIN_CONFLICT');
  assert.match(
    store.state.plugins['b']?.reason ?? '',
    /awl-plugin-b and awl-plugin-a both contribute the strategy one@1/,
  );
  await host.disable('a');
  await host.enable('b');
  assert.equal(store.state.plugins['b']?.status, 'inactive');
  await assert.rejects(host.enable('a'), rejects('ERR_PLUGIN_CONFLICT', /both contribute/));
});

test('what the user decided survives a restart', async () => {
  const clock = new ManualClock();
  const memory = new Memory();
  const start = async () => {
    const { host, store } = makeHost({ clock, memory });
    host.addBuiltIn(manifest({ name: 'awl-plugin-on' }), () => ({ activate: () => undefined }));
    host.addBuiltIn(manifest({ name: 'awl-plugin-off', disabledByDefault: true }), () => ({
      activate: () => undefined,
    }));
    await host.start();
    return { host, statuses: () => [store.state.plugins['on']?.status, store.state.plugins['off']?.status] };
  };
  const first = await start();
  assert.deepEqual(first.statuses(), ['inactive', 'disabled']);
  await first.host.enable('off');
  await first.host.disable('on');
  await first.host.close();
  assert.deepEqual((await start()).statuses(), ['disabled', 'inactive']);
});

test('settings: defaults, validation, changes at run time', async () => {
  const { host, registry, memory, store } = makeHost({ clock: new ManualClock() });
  const changes: unknown[] = [];
  let context: PluginContext | undefined;
  host.addBuiltIn(
    manifest({
      contributes: {
        ...contributes,
        configuration: {
          type: 'object',
          properties: { 'lucky.attempts': { type: 'integer', minimum: 1, default: 3 } },
        },
      },
    }),
    () => ({
      activate(given) {
        context = given;
        given.configuration.onDidChange((key, value) => changes.push([key, value]));
      },
    }),
  );
  await host.start();
  await registry.strategies.get('one@1')?.assess(pair);
  assert.equal(context?.configuration.get('lucky.attempts'), 3);
  assert.throws(
    () => host.checkSetting('lucky.attempts', 'many'),
    rejects('ERR_CONFIG_INVALID', /lucky\.attempts: must be integer/),
  );
  assert.equal(host.checkSetting('lucky.attempts', 4), true);
  assert.equal(host.checkSetting('other.thing', 4), false);
  memory.set('lucky.attempts', 4);
  memory.set('other.thing', 4);
  memory.set('lucky.attempts', 0);
  assert.deepEqual(changes, [
    ['lucky.attempts', 4],
    ['lucky.attempts', 3],
  ]);
  assert.deepEqual(store.state.plugins['test']?.settings.values, { 'lucky.attempts': 3 });
  assert.equal(context?.configuration.get('other.thing'), undefined);
});

test('views and status items: shown four times a second, checked, gone when disabled', async () => {
  const clock = new ManualClock();
  const { host, store } = makeHost({ clock });
  let context: PluginContext | undefined;
  host.addBuiltIn(
    manifest({
      contributes: {
        views: [{ id: 'v', kind: 'text', title: 'V' }],
        statusItems: [{ id: 's', title: 'S' }],
      },
    }),
    () => ({ activate: (given) => void (context = given) }),
  );
  await host.start();
  await new Promise(setImmediate);
  assert.equal(store.state.plugins['test']?.status, 'active');
  for (const text of ['one', 'two', 'three\u0007']) context?.views.set('v', { kind: 'text', text });
  assert.deepEqual(store.state.views['v']?.data, { kind: 'text', text: 'one' });
  clock.advance(250);
  assert.deepEqual(store.state.views['v']?.data, { kind: 'text', text: 'three\ufffd' });
  context?.statusItems.set('s', 'x'.repeat(100));
  assert.equal(store.state.statusItems['s']?.text.length, 60);
  assert.throws(
    () => context?.views.set('v', { kind: 'log', lines: [] }),
    /is a text in the manifest, not a log/,
  );
  assert.throws(() => context?.views.set('v', { kind: 'text' } as never), /view v/);
  await host.disable('test');
  assert.deepEqual([store.state.views, store.state.statusItems], [{}, {}]);
});

test('commands are listed before the code is loaded and run it', async () => {
  const { host, store } = makeHost({ clock: new ManualClock() });
  host.addBuiltIn(
    manifest({ contributes: { commands: [{ id: 'lucky.stats', title: 'Statistics' }] } }),
    () => ({
      activate: (context) =>
        void context.commands.register({
          id: 'lucky.stats',
          run: (argument) => ({ argument: argument ?? null }),
        }),
    }),
  );
  await host.start();
  assert.equal(store.state.commands['lucky.stats']?.plugin, 'test');
  assert.deepEqual(await host.runCommand('lucky.stats', 5), { argument: 5 });
  await assert.rejects(host.runCommand('other'), rejects('ERR_PLUGIN_UNKNOWN', /other/));
});

test('a plugin whose transport is in use is disabled by force only', async () => {
  const { host, registry, store } = makeHost({ clock: new ManualClock() });
  host.addBuiltIn(manifest({ contributes: { transports: [{ id: 'kcp', title: 'KCP' }] } }), () => ({
    activate: (context) => void context.transports.register({ id: 'kcp', attach: () => 'attached' as never }),
  }));
  await host.start();
  await new Promise(setImmediate);
  assert.equal(registry.transports.get('kcp')?.attach({} as never, {} as never), 'attached');
  registry.sessions = ['s1'];
  await assert.rejects(
    host.disable('test'),
    rejects('ERR_PLUGIN_IN_USE', /1 open sessions use a transport of test: s1/),
  );
  assert.equal(store.state.plugins['test']?.status, 'active');
  await host.disable('test', { force: true });
  assert.deepEqual(registry.released, [false, true]);
});

test('deactivation aborts the signal, calls deactivate and takes registrations back; reload loads anew', async () => {
  const { host, registry } = makeHost({ clock: new ManualClock() });
  const events: string[] = [];
  host.addBuiltIn(manifest({ contributes }), () => ({
    activate(context) {
      events.push('activate');
      context.signal.addEventListener('abort', () => events.push('abort'));
      context.strategies.register(strategy('one@1'));
    },
    deactivate: () => void events.push('deactivate'),
  }));
  await host.start();
  await registry.strategies.get('one@1')?.assess(pair);
  await host.reload('test');
  assert.equal((await registry.strategies.get('one@1')?.assess(pair))?.likelihood, 0.5);
  assert.deepEqual(events, ['activate', 'abort', 'deactivate', 'activate']);
});

test('the log is bounded in rate and length; the last lines stay for explain', async () => {
  const clock = new ManualClock();
  const { host, registry, lines } = makeHost({ clock });
  let context: PluginContext | undefined;
  host.addBuiltIn(manifest({ contributes }), () => ({ activate: (given) => void (context = given) }));
  await host.start();
  await registry.strategies.get('one@1')?.assess(pair);
  const before = lines.length;
  for (let line = 0; line < 1000; line += 1) context?.log.info('x'.repeat(5000));
  assert.ok(lines.length - before <= 50);
  assert.ok(lines.every((line) => line.length < 2100));
  clock.advance(1000);
  context?.log.info('again');
  assert.match(lines.at(-2) ?? '', /lines dropped/);
  assert.equal(host.explain('test').log.at(-1), 'info again');
  assert.deepEqual(host.explain('test').activationEvents, ['onStrategy:one@1']);
});

test('storage outlives a restart and is bounded', async () => {
  const memory = new Memory();
  const open = async () => {
    const { host, registry } = makeHost({ clock: new ManualClock(), memory });
    let context: PluginContext | undefined;
    host.addBuiltIn(manifest({ contributes }), () => ({ activate: (given) => void (context = given) }));
    await host.start();
    await registry.strategies.get('one@1')?.assess(pair);
    return context?.storage;
  };
  const first = await open();
  await first?.set('a', { n: 1 });
  await assert.rejects(
    first?.set('b', 'x'.repeat(1024 * 1024)) ?? Promise.resolve(),
    rejects('ERR_STORAGE', /b would exceed/),
  );
  const second = await open();
  assert.deepEqual(await second?.get('a'), { n: 1 });
  assert.equal(await second?.get('b'), undefined);
  await second?.delete('a');
  assert.equal(await second?.get('a'), undefined);
});
