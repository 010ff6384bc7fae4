import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRendezvous, type RendezvousOptions, type RendezvousServer } from '@awl/rendezvous';
import { parseRendezvousUrl } from '@awl/wire';
import { ControlPeer } from './control-peer.ts';

const start = (options: RendezvousOptions = {}): Promise<RendezvousServer> =>
  startRendezvous({ host: '127.0.0.1', port: 0, altPort: 0, ...options });

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'awl-rendezvous-'));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('URLs name the server’s key; with advertise they name the outer host', async () => {
  await using server = await start();
  const { port, fingerprint } = server;
  assert.deepEqual(parseRendezvousUrl(server.url), { host: '127.0.0.1', port, fingerprint });
  assert.deepEqual(server.addresses, [{ address: '127.0.0.1', port }]);
  await using forwarded = await start({ advertise: { host: 'example.org', port: 443 } });
  assert.deepEqual(forwarded.urls, [`awl://example.org:443#${forwarded.fingerprint}`]);
});

test('0.0.0.0 is every IPv4 address', async () => {
  await using server = await start({ host: '0.0.0.0' });
  assert.ok(server.addresses.some(({ address }) => address === '127.0.0.1'));
  using peer = await ControlPeer.register(server);
  assert.ok(peer);
});

describe('the data directory', () => {
  test('the key is kept, for its owner’s eyes only', () =>
    withDirectory(async (directory) => {
      const dataDir = join(directory, 'made', 'on', 'the', 'way');
      const first = await start({ dataDir });
      await first.stop();
      assert.equal(statSync(join(dataDir, 'rendezvous.key')).mode & 0o777, 0o600);
      const second = await start({ dataDir });
      assert.equal(second.fingerprint, first.fingerprint);
      await second.stop();
    }));

  for (const [name, spoil, code] of [
    ['a key that others can read', (path: string) => chmodSync(path, 0o644), 'ERR_KEY_FILE'],
    ['a damaged key', (path: string) => writeFileSync(path, 'x', { mode: 0o600 }), 'ERR_KEY_FILE'],
    [
      'a damaged database',
      (path: string) => writeFileSync(path.replace('rendezvous.key', 'names.sqlite'), 'x'.repeat(5000)),
      'ERR_STORAGE',
    ],
  ] as const)
    test(`${name} is refused`, () =>
      withDirectory(async (dataDir) => {
        await (await start({ dataDir })).stop();
        const path = join(dataDir, 'rendezvous.key');
        spoil(path);
        await assert.rejects(start({ dataDir }), { code });
      }));

  test('a directory that can’t be made', () =>
    withDirectory(async (directory) => {
      const file = join(directory, 'file');
      writeFileSync(file, '');
      await assert.rejects(start({ dataDir: join(file, 'x') }), { code: 'ERR_STORAGE' });
    }));
});

describe('what can’t be started', () => {
  test('a busy TCP or UDP port: the message names it, and nothing stays open', async () => {
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    await once(udp, 'listening');
    for (const port of [(tcp.address() as AddressInfo).port, udp.address().port]) {
      await assert.rejects(start({ port }), { code: 'ERR_PORT_BUSY', message: new RegExp(`${port}`) });
      await assert.rejects(start({ altPort: port }), { code: 'ERR_PORT_BUSY' });
    }
    tcp.close();
    udp.close();
  });

  for (const [name, options, code] of [
    ['an address of another machine', { host: '192.0.2.1' }, 'ERR_SOCKET_BIND'],
    ['one port for both', { port: 5000, altPort: 5000 }, 'ERR_USAGE'],
    ['no port', { port: 70_000 }, 'ERR_USAGE'],
    ['an empty access key', { key: '' }, 'ERR_USAGE'],
    ['a host to advertise that is none', { advertise: { host: 'a b' } }, 'ERR_USAGE'],
  ] as const)
    test(name, () => assert.rejects(start(options), { code }));
});

test('fifty peers come and go, three times: nothing is left', async () => {
  await using server = await start();
  const resources = (): number =>
    process.getActiveResourcesInfo().filter((name) => /TCPSocket|TLS|Timeout/.test(name)).length;
  const before = resources();
  for (let round = 0; round < 3; round++) {
    const peers = await Promise.all(Array.from({ length: 50 }, () => ControlPeer.register(server)));
    assert.equal(server.peersOnline, 50);
    for (const peer of peers) peer[Symbol.dispose]();
    while (server.peersOnline > 0) await new Promise(setImmediate);
  }
  while (resources() > before) await new Promise(setImmediate);
  assert.match(await server.metrics.metrics(), /awl_rendezvous_peers_online 0/);
});
