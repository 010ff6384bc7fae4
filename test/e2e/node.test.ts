import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { answer, awl, Awl, homes } from './support/awl.ts';
import { startWorld, type World } from './support/world.ts';

const get = async (address: unknown, path = '/'): Promise<string> =>
  (await fetch(`http://${String(address)}${path}`)).text();

async function startNode(world: World, name: string): Promise<Awl> {
  const node = world.start(name, 'up', '--name', name, '--rendezvous', world.url, '--json');
  await node.event('node.ready');
  await node.line(/nat\.behaviour/);
  return node;
}

interface Status {
  readonly node: { readonly name: string; readonly peerId: string };
  readonly rendezvous: { readonly status: string };
}

test('a running node is used by the commands of its AWL_HOME, and there is one only', async () => {
  await using world = await startWorld();
  await startNode(world, 'office');
  const options = { home: world.home('office') };
  const status = await answer<Status>(['status'], options);
  assert.equal(status.node.name, 'office');
  assert.equal(status.rendezvous.status, 'connected');

  const second = await awl(['up'], options);
  assert.match(second.stderr, /Another node already runs[\s\S]*ERR_NODE_RUNNING/);
  assert.equal(second.code, 1);

  // A share of the running node ends with the command that made it.
  const sharing = world.start('office', 'share', String(world.http), '--json');
  const { ticket } = await sharing.event('share.ready');
  assert.equal((await answer<{ shares: unknown[] }>(['forward', 'ls'], options)).shares.length, 1);
  const connecting = world.start('laptop', 'connect', String(ticket), '--json');
  assert.equal(await get((await connecting.event('forward.listening'))['address']), 'hello /');
  assert.equal((await sharing.stop()).code, 0);
  assert.equal((await answer<{ shares: unknown[] }>(['forward', 'ls'], options)).shares.length, 0);

  const changed = await awl(['share', '80', '--rendezvous', 'awl://other.example'], options);
  assert.match(changed.stderr, /The running node uses the rendezvous/);
  assert.equal(changed.code, 2);
  assert.match((await awl(['ping', 'nobody'], options)).stderr, /ERR_PEER_UNKNOWN/);
});

test('forwards of a running node: added, seen, pinged, kept over a restart, removed', async () => {
  await using world = await startWorld();
  await startNode(world, 'office');
  let laptop = await startNode(world, 'laptop');
  const office = { home: world.home('office') };
  const options = { home: world.home('laptop') };
  const sharing = world.start('office', 'share', String(world.http), '--store', '--json');
  await sharing.event('share.ready');
  const password = (await awl(['config', 'get', 'password'], office)).stdout.trim();
  const added = await answer<{ forward: string; listen: string }>(['forward', 'add', 'office'], {
    ...options,
    env: { AWL_PASSWORD: password },
  });
  assert.equal(await get(added.listen), 'hello /');

  const { peers } = await answer<{ peers: { name: string; status: string }[] }>(['peers'], options);
  assert.equal(peers.find(({ name }) => name === 'office')?.status, 'connected');
  const ping = await awl(['ping', 'office', '--count', '1', '--json'], options);
  assert.match(ping.stdout, /"event":"ping".*"rttMs":/);
  assert.match((await awl(['status', 'office'], options)).stdout, /office: connected, lan[\s\S]*Strategy/);
  const listed = await awl(['forward', 'ls'], options);
  assert.match(listed.stdout, new RegExp(`${added.forward} +out +${added.listen}`));

  // The password is in no file; the peer is known by its key.
  const stored = await readFile(join(options.home, 'awl.config.json'), 'utf8');
  assert.doesNotMatch(stored, new RegExp(password));
  laptop.process.kill('SIGKILL');
  await laptop.result;
  laptop = await startNode(world, 'laptop');
  const { address } = await laptop.event('forward.listening');
  assert.equal(await get(address, '/again'), 'hello /again');
  const { forwards } = await answer<{ forwards: { id: string }[] }>(['forward', 'ls'], options);
  await answer(['forward', 'rm', forwards[0]?.id ?? ''], options);
  assert.doesNotMatch(await readFile(join(options.home, 'awl.config.json'), 'utf8'), /listen/);
  const missing = await awl(['forward', 'rm', 'nothing'], options);
  assert.equal(missing.code, 2);
  await answer(['peers', 'forget', 'laptop'], office).catch(() =>
    answer(['peers', 'forget', 'office'], options),
  );
});

test('the configuration changes a running node at once', async () => {
  await using world = await startWorld();
  const node = world.start('a', 'up', '--json');
  await node.event('node.ready');
  const options = { home: world.home('a') };
  assert.equal((await answer<Status>(['status'], options)).rendezvous.status, 'none');
  await answer(['config', 'set', 'rendezvous.url', world.url], options);
  assert.equal((await answer<Status>(['status'], options)).rendezvous.status, 'connected');
  await answer(['config', 'set', 'name', 'renamed'], options);
  assert.equal((await answer<Status>(['status'], options)).node.name, 'renamed');
  await answer(['plugin', 'enable', 'upnp'], options);
  const { plugins } = await answer<{ plugins: { id: string; status: string }[] }>(['plugin', 'ls'], options);
  assert.notEqual(plugins.find(({ id }) => id === 'upnp')?.status, 'disabled');
  const wrong = await awl(['config', 'set', 'limits.sockets', '0'], options);
  assert.match(wrong.stderr, /ERR_CONFIG_INVALID/);
  assert.equal(node.process.exitCode, null);
});

test('doctor answers with one object, from a node of its own and from the running one', async () => {
  await using world = await startWorld();
  interface Diagnosis {
    readonly behaviour: Record<
      'udp' | 'tcp',
      { mapping: string; filtering: string; allocation: string; confidence: object }
    >;
    readonly publicAddresses: readonly string[];
  }
  const check = ({ behaviour, publicAddresses }: Diagnosis): void => {
    for (const { mapping, filtering, allocation, confidence } of [behaviour.udp, behaviour.tcp]) {
      assert.match(mapping, /^(EIM|ADM|APDM|unknown)$/);
      assert.match(filtering, /^(EIF|ADF|APDF|unknown)$/);
      assert.equal(typeof allocation, 'string');
      assert.equal(typeof confidence, 'object');
    }
    assert.deepEqual(publicAddresses, ['127.0.0.1']);
  };
  check(await answer<Diagnosis>(['doctor', '--rendezvous', world.url], { home: world.home('a') }));
  await startNode(world, 'b');
  check(await answer<Diagnosis>(['doctor'], { home: world.home('b') }));
  const alone = await awl(['doctor'], { home: world.home('c') });
  assert.match(alone.stderr, /no rendezvous to ask[\s\S]*--rendezvous[\s\S]*ERR_NAT_UNREACHABLE/);
  assert.equal(alone.code, 1);
});

test('a rendezvous with a key lets in who has it', async () => {
  await using places = await homes();
  await using rendezvous = new Awl(
    ['rendezvous', '--host', '127.0.0.1', '--port', '0', '--alt-port', '0', '--key', 'open-sesame', '--json'],
    { home: places.path('rendezvous') },
  );
  const [url = ''] = (await rendezvous.event('rendezvous.ready'))['urls'] as string[];
  const args = ['doctor', '--rendezvous', url];
  const refused = await awl(args, { home: places.path('a') });
  assert.match(refused.stderr, /ERR_RENDEZVOUS_ACCESS/);
  assert.equal(refused.code, 4);
  const admitted = await awl(args, { home: places.path('a'), env: { AWL_RENDEZVOUS_KEY: 'open-sesame' } });
  assert.equal(admitted.code, 0, admitted.stderr);
});

test('hostile bytes on the control socket and a killed node do no harm', async () => {
  await using world = await startWorld();
  const options = { home: world.home('a') };
  const first = world.start('a', 'up', '--json');
  await first.event('node.ready');
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'Content-Length: 999999999\r\n\r\n', '\0'.repeat(1000)]) {
    const socket = connect(join(options.home, 'control', 'awl.sock'));
    socket.on('error', () => undefined);
    socket.write(bytes);
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
  }
  assert.equal((await awl(['status'], options)).code, 0);
  first.process.kill('SIGKILL');
  await first.result;
  assert.match((await awl(['status'], options)).stderr, /ERR_NODE_NOT_RUNNING/);
  // The socket that it left is recognised as stale.
  await using again = new Awl(['up', '--json'], options);
  await again.event('node.ready');
  assert.equal((await awl(['status'], options)).code, 0);
});

test('a wrong configuration or key stops the start with a plain message', async (t) => {
  await using world = await startWorld();
  const cases: [name: string, file: string, content: string, mode: number, message: RegExp][] = [
    ['unknown key', 'awl.config.json', '{"nmae":"x"}', 0o600, /unknown key "nmae"[\s\S]*ERR_CONFIG_INVALID/],
    ['open key file', 'key.pem', 'x', 0o644, /readable by other users[\s\S]*chmod 600[\s\S]*ERR_KEY_FILE/],
    ['damaged key file', 'key.pem', 'x', 0o600, /ERR_KEY_FILE/],
    ['damaged peers', 'peers.json', '{', 0o600, /peers\.json is damaged[\s\S]*ERR_STORAGE/],
  ];
  for (const [index, [name, file, content, mode, message]] of cases.entries()) {
    await t.test(name, async () => {
      const home = world.home(`wrong${index}`);
      await awl(['config', 'set', 'log.level', 'info'], { home });
      await writeFile(join(home, file), content, { mode });
      const { code, stderr } = await awl(['up'], { home });
      assert.match(stderr, message);
      assert.equal(code, 1);
    });
  }
  await t.test('code in the working directory', async () => {
    await writeFile(join(world.directory, 'awl.config.js'), 'export default {}');
    const { code, stderr } = await awl(['up'], { home: world.home('cwd'), cwd: world.directory });
    assert.match(stderr, /is code[\s\S]*ERR_CONFIG_UNSAFE/);
    assert.equal(code, 1);
  });
});
