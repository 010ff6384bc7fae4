import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { awl, Awl } from './support/awl.ts';
import { freePort, startWorld } from './support/world.ts';

const get = async (address: unknown, path = '/'): Promise<string> =>
  (await fetch(`http://${String(address)}${path}`)).text();

test('share and connect by a ticket file, with the events that scripts read', async () => {
  await using world = await startWorld();
  const file = join(world.directory, 'ticket');
  // Started first: it waits for the file.
  const port = await freePort();
  const connecting = world.start(
    'b',
    'connect',
    '--ticket-file',
    file,
    '--listen',
    `127.0.0.1:${port}`,
    '--json',
  );
  const sharing = world.start(
    'a',
    'share',
    String(world.http),
    '--rendezvous',
    world.url,
    '--ticket-file',
    file,
    '--json',
  );

  const ready = await sharing.event('share.ready');
  assert.match(String(ready['ticket']), /^awl1/);
  assert.equal((await readFile(file, 'utf8')).trim(), ready['ticket']);
  assert.equal((await stat(file)).mode & 0o777, 0o600);

  const listening = await connecting.event('forward.listening');
  assert.equal(listening['address'], `127.0.0.1:${port}`);
  assert.equal(await get(listening['address'], '/first'), 'hello /first');
  // Several clients at once, over the one session.
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => get(listening['address'], `/${index}`)),
  );
  assert.deepEqual(
    answers,
    Array.from({ length: 20 }, (_, index) => `hello /${index}`),
  );

  const agreed = await connecting.event('signal.agreed');
  const selected = await connecting.event('path.selected');
  assert.ok(selected.time >= agreed.time);
  assert.equal(selected['kind'], 'lan');
  for (const field of ['strategy', 'transport', 'remote', 'rttMs']) assert.ok(field in selected, field);
  await connecting.event('attempt.started');
  const ended = await connecting.event('attempt.ended', ({ outcome }) => outcome === 'connected');
  for (const field of ['strategy', 'ms', 'probes']) assert.ok(field in ended, field);
  const nat = await connecting.event('nat.behaviour');
  assert.ok('udp' in nat && 'tcp' in nat);

  // People's lines stay out of what scripts read.
  const { stdout, code } = await connecting.stop();
  for (const line of stdout.trim().split('\n')) assert.ok('time' in (JSON.parse(line) as object), line);
  assert.equal(code, 0);
  assert.equal((await sharing.stop('SIGTERM')).code, 0);
});

test('sessions outlive the rendezvous', async () => {
  await using world = await startWorld();
  const sharing = world.start('a', 'share', String(world.http), '--rendezvous', world.url, '--json');
  const { ticket } = await sharing.event('share.ready');
  const connecting = world.start('b', 'connect', String(ticket), '--json');
  const { address } = await connecting.event('forward.listening');
  assert.equal(await get(address), 'hello /');
  world.rendezvous.process.kill('SIGKILL');
  await world.rendezvous.result;
  assert.equal(await get(address, '/after'), 'hello /after');
});

test('each transport can be asked for, and a strategy by name', async (t) => {
  await using world = await startWorld();
  const sharing = world.start('a', 'share', String(world.http), '--rendezvous', world.url, '--json');
  const { ticket } = await sharing.event('share.ready');
  const cases: [args: string[], strategy: RegExp, transport: RegExp][] = [
    [['--transport', 'udp'], /./, /kcp/],
    [['--transport', 'tcp'], /tcp/, /tcp/],
    [['--strategies', 'lan-direct'], /^lan-direct@/, /kcp/],
  ];
  for (const [index, [args, strategy, transport]] of cases.entries()) {
    await t.test(args.join(' '), async () => {
      await using connecting = new Awl(['connect', String(ticket), ...args, '--json'], {
        home: world.home(`c${index}`),
      });
      const selected = await connecting.event('path.selected');
      assert.match(String(selected['strategy']), strategy);
      assert.match(String(selected['transport']), transport);
      const { address } = await connecting.event('forward.listening');
      assert.equal(await get(address), 'hello /');
    });
  }
});

test('a ticket from standard input, and a service on standard input and output', async () => {
  await using world = await startWorld();
  const sharing = world.start('a', 'share', String(world.http), '--rendezvous', world.url, '--json');
  const { ticket } = await sharing.event('share.ready');
  await using byInput = new Awl(['connect', '-', '--json'], {
    home: world.home('b'),
    input: `Here: ${String(ticket)}\n`,
  });
  assert.equal(await get((await byInput.event('forward.listening'))['address']), 'hello /');

  await using stdio = new Awl(['connect', '--stdio', String(ticket)], { home: world.home('c') });
  stdio.process.stdin?.write('GET /stdio HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const { stdout, code } = await stdio.result;
  assert.match(stdout, /^HTTP\/1\.1 200 OK[\s\S]*hello \/stdio\n?$/);
  assert.equal(code, 0);
});

test('by name: the password is asked once, a wrong one is refused, a known key comes back without it', async () => {
  await using world = await startWorld();
  const home = world.home('office');
  const sharing = world.start(
    'office',
    'share',
    String(world.http),
    '--name',
    'office',
    '--rendezvous',
    world.url,
    '--json',
  );
  await sharing.event('share.ready');
  const password = (await awl(['config', 'get', 'password'], { home })).stdout.trim();
  assert.ok(password.length >= 16, 'random at first start');

  const args = ['connect', 'office', '--rendezvous', world.url, '--json'];
  const without = await awl(args, { home: world.home('b') });
  assert.equal(without.code, 4, without.stderr);
  assert.match(without.stderr, /ERR_AUTH_REFUSED/);
  const wrong = await awl(args, { home: world.home('b'), env: { AWL_PASSWORD: 'not-the-password' } });
  assert.equal(wrong.code, 4, wrong.stderr);
  assert.match(wrong.stderr, /The password is wrong[\s\S]*awl config get password[\s\S]*ERR_AUTH_PASSWORD/);

  const file = join(world.directory, 'password');
  await writeFile(file, `${password}\n`);
  await using paired = new Awl([...args, '--password-file', file], { home: world.home('b') });
  assert.equal(await get((await paired.event('forward.listening'))['address']), 'hello /');
  await paired.stop();
  await using remembered = new Awl(args, { home: world.home('b') });
  assert.equal(await get((await remembered.event('forward.listening'))['address']), 'hello /');
});

test('bad input: coded, plain, with what to do, and the node lives on', async (t) => {
  await using world = await startWorld();
  const target = await freePort();
  const sharing = world.start('a', 'share', String(target), '--rendezvous', world.url, '--json');
  const ticket = String((await sharing.event('share.ready'))['ticket']);
  const nobody = await freePort();
  const busy = String(world.http);
  const broken = `${ticket.slice(0, -4)}aaaa`;
  const otherKey = `${world.url.slice(0, world.url.indexOf('#'))}#${'a'.repeat(51)}q`;
  const cases: [name: string, args: string[], code: number, message: RegExp][] = [
    [
      'unreachable rendezvous',
      ['share', '80', '--rendezvous', `awl://127.0.0.1:${nobody}`],
      1,
      /ERR_RENDEZVOUS_UNREACHABLE/,
    ],
    [
      'rendezvous with another key',
      ['share', '80', '--rendezvous', otherKey],
      4,
      /ERR_RENDEZVOUS_KEY_MISMATCH/,
    ],
    ['broken ticket', ['connect', broken], 2, /ERR_TICKET_CHECKSUM/],
    ['half a ticket', ['connect', ticket.slice(0, 40)], 2, /ERR_TICKET_MALFORMED/],
    ['unknown name', ['connect', 'nobody-here', '--rendezvous', world.url], 1, /ERR_PEER_UNKNOWN/],
    ['busy port', ['connect', ticket, '--listen', `127.0.0.1:${busy}`], 1, /ERR_PORT_BUSY/],
    ['not our address', ['connect', ticket, '--listen', '203.0.113.1:80'], 1, /ERR_SOCKET_BIND/],
    [
      'busy rendezvous port',
      ['rendezvous', '--host', '127.0.0.1', '--port', busy, '--alt-port', '0'],
      1,
      /ERR_PORT_BUSY/,
    ],
    [
      'strategies that nobody has',
      ['connect', ticket, '--strategies', 'teleport'],
      3,
      /ERR_PATH_NO_STRATEGY/,
    ],
  ];
  for (const [index, [name, args, code, message]] of cases.entries()) {
    await t.test(name, async () => {
      const { code: got, stderr } = await awl(args, { home: world.home(`bad${index}`) });
      assert.match(stderr, message);
      assert.equal(got, code, stderr);
    });
  }
  await t.test('expired ticket', async () => {
    await using short = new Awl(['share', '80', '--expires', '1s', '--rendezvous', world.url, '--json'], {
      home: world.home('short'),
    });
    const expiring = String((await short.event('share.ready'))['ticket']);
    await short.stop();
    for (;;) {
      const { code, stderr } = await awl(['connect', expiring], { home: world.home('late') });
      if (/ERR_TICKET_EXPIRED/.test(stderr)) {
        assert.equal(code, 4);
        break;
      }
    }
  });
  await t.test('a target that refuses, then does not', async () => {
    await using connecting = new Awl(['connect', ticket, '--json'], { home: world.home('refused') });
    const address = String((await connecting.event('forward.listening'))['address']);
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'close');
    assert.equal(connecting.process.exitCode, null);
    assert.equal(sharing.process.exitCode, null);
  });
  await t.test('a peer that vanishes', async () => {
    await using connecting = new Awl(['connect', ticket, '--json'], { home: world.home('left') });
    await connecting.event('forward.listening');
    sharing.process.kill('SIGKILL');
    await connecting.event('path.lost');
    assert.equal(connecting.process.exitCode, null);
  });
});
