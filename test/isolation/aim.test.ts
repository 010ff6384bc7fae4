import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SRV_ADDRESSES, whyNot } from '../netns/support/homes.ts';
import { temporaryDirectory, writePlugin } from './support/plugins.ts';
import { TwoHomes } from './support/two-homes.ts';

const VICTIM = SRV_ADDRESSES[1];
/** Listens where the plugin aims, beside the rendezvous, and says how many packets came when it is asked. */
const LISTENER = `
  let count = 0;
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', () => (count += 1)).bind(9999, '${VICTIM}', () => console.log('ready'));
  process.stdin.on('data', () => console.log(count));`;

const code = `
  import { connected, failed } from '@awl/api';
  export function activate(context) {
    context.strategies.register({
      id: 'aiming@1',
      assess: () => ({ likelihood: 0.9, expectedMs: 100, probes: 100, reason: 'both are there' }),
      async prepare({ sockets, signal }) {
        const [lease] = await sockets.openUdp();
        const { address, port } = await lease.reflexive(signal);
        return { leases: [lease], advert: { address, port } };
      },
      async punch(attempt) {
        const [lease] = attempt.leases;
        const victim = { address: '${VICTIM}', port: 9999 };
        const aimed = [
          lease.schedule(Array.from({ length: 20 }, (_, index) => ({ kind: 'check', to: victim, atMs: index }))),
          lease.schedule([{ kind: 'raw', to: victim, atMs: 0, payload: new Uint8Array(100).fill(200) }]),
          lease.sweep({ kind: 'check', to: victim.address, ports: [9999, 9998, 9999], count: 3, ratePps: 1000 }),
        ];
        const results = await Promise.all(aimed.map(({ done }) => done.catch((error) => error.code)));
        attempt.log.info('aimed', results);
        lease.schedule(Array.from({ length: 20 }, (_, index) => ({ kind: 'check', to: attempt.peerAdvert, atMs: index * 100 })));
        const check = await attempt.nextCheck();
        return check ? connected(check) : failed('no-answer', 'nothing came back');
      },
    });
  }`;

test(
  'a plugin cannot aim packets at an address that is no candidate of its attempt',
  { skip: await whyNot('curl'), timeout: 120_000 },
  async () => {
    using parent = temporaryDirectory();
    const homes = new TwoHomes(String(parent));
    const contributes = { strategies: [{ id: 'aiming', version: 1, transport: 'udp', title: 'Aiming' }] };
    await homes.install(writePlugin(String(parent), code, { name: 'awl-plugin-aiming', contributes }));
    let packets = (): Promise<number> => Promise.reject(new Error('there is no listener'));
    const counted = Promise.withResolvers<number>();
    const path = await homes.connect(
      ['preserving', 'preserving'],
      ['aiming'],
      'udp',
      async (network) => {
        const listener = network.spawn('srv', process.execPath, ['-e', LISTENER]);
        const line = (): Promise<string> =>
          new Promise((resolve) => listener.stdout!.once('data', (data: Buffer) => resolve(data.toString())));
        await line();
        // A packet that is allowed arrives: the listener works.
        await network.exec(
          'b',
          process.execPath,
          '-e',
          `const s = require('node:dgram').createSocket('udp4'); s.send('x', 9999, '${VICTIM}', () => s.close())`,
        );
        packets = async () => {
          const answer = line();
          listener.stdin!.write('?');
          return Number(await answer);
        };
        while ((await packets()) === 0);
      },
      async () => counted.resolve(await packets()),
    );
    assert.equal(path['strategy'], 'aiming@1');
    assert.equal(await counted.promise, 1);
  },
);
