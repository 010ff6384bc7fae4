import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SimulatedNetwork, SimulatedRendezvousServer } from '@awl/testkit';
import { decodeStun, encodeStun } from '@awl/wire';
import type { Endpoint } from '@awl/api';

const KEYS = { spki: '', sealKey: '', sealSignature: '' };

describe('the simulated rendezvous', () => {
  it('knows peers by name, sees their public addresses, and carries messages at the speed of the network', async () => {
    const network = new SimulatedNetwork({ seed: 1 });
    const { clock } = network;
    const server = await SimulatedRendezvousServer.start(network, { delayMs: 10 });
    const a = server.client(network.addSite('a', 'P', { link: { delayMs: 10 } }).host, {
      peerId: 'a',
      name: 'ann',
      ...KEYS,
    });
    const b = server.client(network.addSite('b', 'cgn', { link: { delayMs: 30 } }).host, {
      peerId: 'b',
      name: 'bob',
      ...KEYS,
    });
    await clock.complete(Promise.all([a.open(), b.open()]));
    const found = await clock.complete(b.lookup('ann'));
    assert.equal(found?.observedAddress, '203.0.113.11');
    assert.equal(found.online, true);
    const startedAtMs = clock.now();
    const heard = new Promise<string>((resolve) => {
      b.onSignal = (from, sealed) =>
        resolve(`${from.peerId} ${sealed} after ${Math.round(clock.now() - startedAtMs)} ms`);
    });
    const sent = a.send('b', 'hello');
    assert.equal(await clock.complete(heard), 'a hello after 61 ms');
    await clock.complete(sent);
    await b.close();
    await assert.rejects(clock.complete(a.send('b', 'hello?')), { code: 'ERR_PEER_OFFLINE' });
  });

  const changes: readonly [name: string, changeAddress: boolean, changePort: boolean, origin: string][] = [
    ['unchanged', false, false, '203.0.113.2:7777'],
    ['another port', false, true, '203.0.113.2:7778'],
    ['another address', true, false, '198.51.100.2:7777'],
    ['both', true, true, '198.51.100.2:7778'],
  ];
  for (const [name, changeAddress, changePort, origin] of changes) {
    it(`answers CHANGE-REQUEST: ${name}`, async () => {
      const network = new SimulatedNetwork({ seed: 1 });
      const server = await SimulatedRendezvousServer.start(network);
      const socket = await network.addSite('a', 'F').host.bindUdp({ family: 4 });
      const request = encodeStun({
        class: 'request',
        transactionId: Buffer.alloc(12),
        attributes: { changeRequest: { changeAddress, changePort } },
      });
      const heard = new Promise<{ readonly payload: Uint8Array; readonly from: Endpoint }>((resolve) => {
        socket.onMessage = (payload, from) => resolve({ payload, from });
      });
      socket.send(request, server.stun.udp[0]!);
      const { payload, from } = await network.clock.complete(heard);
      const { attributes } = decodeStun(Buffer.from(payload))!;
      assert.equal(`${from.address}:${from.port}`, origin);
      assert.deepEqual(attributes.xorMappedAddress, { address: '203.0.113.11', port: socket.local.port });
      assert.deepEqual(attributes.otherAddress, { address: '198.51.100.2', port: 7778 });
    });
  }

  it('answers over TCP', async () => {
    const network = new SimulatedNetwork({ seed: 1 });
    const server = await SimulatedRendezvousServer.start(network);
    const port = await network.addSite('a', 'X').host.reserveTcp({ family: 4 });
    const { stream } = await network.clock.complete(port.dial(server.stun.tcp[3]!, { timeoutMs: 1000 }));
    stream.write(encodeStun({ class: 'request', transactionId: Buffer.alloc(12) }));
    const heard = new Promise<Buffer>((resolve) => stream.once('data', resolve));
    const { attributes } = decodeStun(await network.clock.complete(heard))!;
    assert.equal(attributes.xorMappedAddress?.address, '203.0.113.11');
    assert.notEqual(attributes.xorMappedAddress.port, port.local.port);
  });
});
