import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClient, type FakeClient } from '@awl/testkit';
import { Commander } from '../../src/app/store/commander.ts';
import { EngineStore, type EngineView } from '../../src/app/store/store.ts';

const renamed = (client: FakeClient, name: string) =>
  ({ section: 'node', value: { ...client.state.node, name } }) as const;

/** Resolves with the first view that fits. */
function view(store: EngineStore, fits: (view: EngineView) => boolean): Promise<EngineView> {
  const { promise, resolve } = Promise.withResolvers<EngineView>();
  const check = (): void => {
    if (fits(store.view())) resolve(store.view());
  };
  store.subscribe(check);
  check();
  return promise;
}

test('a snapshot, then patches', async () => {
  const client = fakeClient();
  using store = new EngineStore(client, { intervalMs: 0 });
  assert.equal(store.view().link, 'loading');
  await view(store, ({ link }) => link === 'live');
  client.push(renamed(client, 'renamed'));
  await view(store, ({ engine }) => engine?.node.name === 'renamed');
});

test('a patch between subscription and snapshot is not lost', async () => {
  const client = fakeClient();
  using store = new EngineStore(client, { intervalMs: 0 });
  client.push(renamed(client, 'early'));
  const { engine } = await view(store, ({ link }) => link === 'live');
  assert.equal(engine?.node.name, 'early');
});

test('a gap leads to a new snapshot, and patches go on after it', async () => {
  const client = fakeClient();
  using store = new EngineStore(client, { intervalMs: 0 });
  await view(store, ({ link }) => link === 'live');
  client.lose(renamed(client, 'lost'));
  client.push({ collection: 'peers', id: 't4ph0ne77zz', value: null });
  await view(
    store,
    ({ engine }) => engine?.node.name === 'lost' && engine.peers['t4ph0ne77zz'] === undefined,
  );
  assert.equal(client.snapshots, 2);
  client.push(renamed(client, 'after'));
  await view(store, ({ engine, link }) => engine?.node.name === 'after' && link === 'live');
  assert.equal(client.snapshots, 2);
});

test('many patches make one view, and none makes none', async () => {
  const client = fakeClient();
  using store = new EngineStore(client, { intervalMs: 3_600_000 });
  await view(store, ({ link }) => link === 'live');
  let views = 0;
  store.subscribe(() => (views += 1));
  for (let index = 0; index < 100; index += 1) client.push(renamed(client, `name-${index}`));
  assert.equal(views, 0, 'they wait for the interval');
});

test('parts that did not change keep their identity', async () => {
  const client = fakeClient();
  using store = new EngineStore(client, { intervalMs: 0 });
  const before = await view(store, ({ link }) => link === 'live');
  client.push(renamed(client, 'x'));
  const after = await view(store, ({ engine }) => engine?.node.name === 'x');
  assert.equal(after.engine?.peers, before.engine?.peers);
});

test('an engine that ends leaves the last figures, marked', async () => {
  const client = fakeClient();
  using store = new EngineStore(client, { intervalMs: 0 });
  await view(store, ({ link }) => link === 'live');
  client.close();
  const { engine } = await view(store, ({ link }) => link === 'closed');
  assert.equal(engine?.node.name, 'home-pc');
});

test('an engine without an answer is a problem that is told', async () => {
  const client = Object.assign(Object.create(fakeClient()) as FakeClient, {
    closed: new Promise<void>(() => {}),
    subscribe: () => ({ [Symbol.dispose]() {} }),
    snapshot: () => Promise.reject(new Error('socket closed')),
  });
  using store = new EngineStore(client, { intervalMs: 0 });
  const { problem } = await view(store, ({ link }) => link === 'closed');
  assert.equal(problem, 'socket closed');
});

test('a command says how it stands, and what to do when it fails', async () => {
  const client = fakeClient();
  const commander = new Commander(client);
  const seen: string[] = [];
  commander.subscribe(() => seen.push(`${commander.notice()?.kind}: ${commander.notice()?.text}`));
  await commander.run({
    name: 'plugin.enable',
    params: { plugin: 'upnp' },
    doing: 'Turning on upnp',
    done: 'upnp is on',
  });
  client.fail('peer.connect', {
    code: 'ERR_AUTH_PASSWORD',
    message: 'the password is wrong',
    remedy: 'Ask the other side.',
  });
  const result = await commander.run({ name: 'peer.connect', params: { peer: 'x' }, doing: 'Connecting' });
  assert.equal(result, undefined);
  assert.deepEqual(seen, [
    'busy: Turning on upnp',
    'ok: upnp is on',
    'busy: Connecting',
    'bad: the password is wrong. Ask the other side.',
  ]);
});

test('a slow command is cancelled at once', async () => {
  const client = fakeClient({ slow: true });
  const commander = new Commander(client);
  const running = commander.run({ name: 'nat.measure', params: {}, doing: 'Measuring' });
  commander.cancel();
  assert.equal(await running, undefined);
  assert.equal(commander.notice()?.text, 'Measuring: cancelled');
  assert.equal(commander.isBusy, false);
});
