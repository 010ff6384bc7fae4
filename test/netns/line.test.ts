/** The whole line over the kernel's own NAT: rendezvous, share, connect, HTTP by curl, 64 MiB with a checksum, the rendezvous killed in between. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { AwlCommands } from './support/awl.ts';
import { Homes, SRV_ADDRESSES, whyNot, type HomeNat } from './support/homes.ts';

const MIB = 1 << 20;
const BIG_BYTES = 64 * MIB;
/** Signalling, STUN and presence; the payload is a hundred times that. */
const SIGNALLING_BYTES = MIB / 2;

/** A web server: `/hello`, and `/big`, which is slow enough to be disturbed. */
const WEB_SERVER = `
  const { createServer } = require('node:http');
  const block = Buffer.alloc(${MIB}, 'awl');
  createServer(async (request, response) => {
    if (request.url !== '/big') return response.end('hello');
    for (let sent = 0; sent < 64; sent++) {
      if (!response.write(block)) await new Promise((resolve) => response.once('drain', resolve));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    response.end();
  }).listen(8000, '127.0.0.1', () => console.log('ready'));`;

const CASES: readonly {
  readonly nats: readonly [HomeNat, HomeNat];
  readonly transport: 'udp' | 'tcp';
  readonly strategy: string;
}[] = [
  { nats: ['preserving', 'preserving'], transport: 'udp', strategy: 'udp-direct@1' },
  { nats: ['preserving', 'preserving'], transport: 'tcp', strategy: 'tcp-simultaneous-open@1' },
  { nats: ['preserving', 'random'], transport: 'udp', strategy: 'udp-birthday@1' },
  { nats: ['random', 'preserving'], transport: 'tcp', strategy: 'tcp-birthday@1' },
];

describe('two homes behind kernel NATs', { skip: await whyNot('curl') }, () => {
  for (const { nats, transport, strategy } of CASES) {
    it(`${nats.join(' × ')} by ${transport}: curl and 64 MiB get through while the rendezvous dies`, async () => {
      await using homes = await Homes.create(...nats);
      await using awl = new AwlCommands(homes);
      const web = homes.spawn('a', process.execPath, ['-e', WEB_SERVER]);
      await new Promise((resolve) => web.stdout!.once('data', resolve));

      const rendezvous = await awl.start('srv', [
        'rendezvous',
        '--host',
        SRV_ADDRESSES[0],
        '--alt-address',
        SRV_ADDRESSES[1],
      ]);
      await rendezvous.event('rendezvous.ready');
      const share = await awl.start('a', [
        'share',
        '8000',
        '--rendezvous',
        `awl://${SRV_ADDRESSES[0]}`,
        '--transport',
        transport,
      ]);
      const { ticket } = await share.event('share.ready');
      const connect = await awl.start('b', [
        'connect',
        String(ticket),
        '--listen',
        ':8585',
        '--transport',
        transport,
      ]);
      const path = await connect.event('path.selected');
      assert.equal(path['strategy'], strategy);
      await connect.event('forward.listening');

      assert.equal(
        await homes.exec('b', 'curl', '-sS', '--max-time', '20', 'http://127.0.0.1:8585/hello'),
        'hello',
      );
      const download = homes.spawn('b', 'curl', ['-sS', '--max-time', '120', 'http://127.0.0.1:8585/big']);
      const hash = createHash('sha256');
      let receivedBytes = 0;
      let killed = false;
      for await (const chunk of download.stdout!) {
        hash.update(chunk as Buffer);
        receivedBytes += (chunk as Buffer).length;
        if (killed || receivedBytes < BIG_BYTES / 4) continue;
        killed = true;
        rendezvous.kill('SIGKILL');
      }
      const expected = createHash('sha256');
      const block = Buffer.alloc(MIB, 'awl');
      for (let index = 0; index < 64; index++) expected.update(block);
      assert.equal(receivedBytes, BIG_BYTES);
      assert.equal(hash.digest('hex'), expected.digest('hex'));
      assert.equal(killed, true);
      // New streams go on without it as well.
      assert.equal(
        await homes.exec('b', 'curl', '-sS', '--max-time', '20', 'http://127.0.0.1:8585/hello'),
        'hello',
      );
      const crossed = await homes.linkBytes('srv');
      assert.ok(crossed < SIGNALLING_BYTES, `${crossed} bytes crossed the rendezvous host`);
    });
  }
});
