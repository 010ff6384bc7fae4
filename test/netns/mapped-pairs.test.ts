/** Pairs of homes that become direct because one router maps a port: the real awl, miniupnpd and kernel NATs. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { MappedHomes, SRV, type MappedNat } from './support/mapped-homes.ts';
import { whyNoHome } from './support/upnp-home.ts';

const CASES: readonly {
  /** The first one's router maps. */
  readonly nats: readonly [MappedNat, MappedNat];
  readonly plugin: 'nat-pmp-pcp' | 'upnp';
  readonly transport: 'udp' | 'tcp' | 'any';
  readonly strategy: string;
}[] = [
  { nats: ['P', 'X'], plugin: 'nat-pmp-pcp', transport: 'udp', strategy: 'udp-direct@1' },
  { nats: ['X', 'P'], plugin: 'upnp', transport: 'udp', strategy: 'udp-direct@1' },
  { nats: ['X', 'X'], plugin: 'nat-pmp-pcp', transport: 'udp', strategy: 'udp-direct@1' },
  { nats: ['X', 'X'], plugin: 'upnp', transport: 'udp', strategy: 'udp-direct@1' },
  { nats: ['X', 'X'], plugin: 'upnp', transport: 'tcp', strategy: 'tcp-simultaneous-open@1' },
  { nats: ['P', 'X without UDP'], plugin: 'upnp', transport: 'any', strategy: 'tcp-simultaneous-open@1' },
  {
    nats: ['X', 'X without UDP'],
    plugin: 'nat-pmp-pcp',
    transport: 'any',
    strategy: 'tcp-simultaneous-open@1',
  },
];

describe('a mapped port makes a pair direct', { skip: await whyNoHome() }, () => {
  for (const { nats, plugin, transport, strategy } of CASES)
    it(`${nats.join(' × ')} by ${plugin}, ${transport}`, async () => {
      await using homes = await MappedHomes.create(...nats);
      await homes.enable('a', plugin);
      const web = homes.spawn('a', [
        process.execPath,
        '-e',
        `require('node:http').createServer((_, response) => response.end('hello'))
          .listen(8000, '127.0.0.1', () => console.log('ready'))`,
      ]);
      await once(web.stdout!, 'data');
      const rendezvous = homes.awl('srv', 'rendezvous', '--host', SRV[0], '--alt-address', SRV[1]);
      await rendezvous.event('rendezvous.ready');
      const share = homes.awl('a', 'share', '8000', '--rendezvous', `awl://${SRV[0]}`);
      const { ticket } = await share.event('share.ready');
      const connect = homes.awl(
        'b',
        'connect',
        String(ticket),
        '--listen',
        ':8585',
        '--transport',
        transport,
      );
      const path = await connect.event('path.selected');
      assert.equal(path['strategy'], strategy);
      await connect.event('forward.listening');
      const answer = await homes.exec('b', process.execPath, '-e', FETCH);
      assert.equal(answer, 'hello');
      assert.ok((await homes.table()).length >= 1, 'mapped while it is in use');

      const ended = once(share.child, 'exit');
      share.kill('SIGTERM');
      await ended;
      assert.deepEqual(await homes.table(), [], 'taken back at exit');
    });
});

const FETCH = `fetch('http://127.0.0.1:8585/').then((answer) => answer.text()).then((text) => process.stdout.write(text))`;
