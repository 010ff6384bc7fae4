/** The same engine and the same strategies, on this machine's own sockets and on a simulated network: the same strategy wins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '@awl/testkit';
import { MemoryRendezvous } from '../../core/engine/test/support/memory-rendezvous.ts';
import { testNode } from '../../core/engine/test/support/two-nodes.ts';
import { builtIns } from './built-ins.ts';

type Winner = (transport: 'udp' | 'tcp') => Promise<string | undefined>;

const WORLDS: { readonly [name: string]: Winner } = {
  'real sockets': async (transport) => {
    const hub = new MemoryRendezvous();
    const a = await testNode(hub, 'a');
    const b = await testNode(hub, 'b');
    try {
      const { ticket } = await a.engine.share({ target: '9' });
      await b.engine.connect({ ticket }, { transport });
      return b.engine.state.state.peers[a.identity.peerId]?.path?.strategy;
    } finally {
      await b.engine.close();
      await a.engine.close();
    }
  },
  'a simulated network': async (transport) =>
    (await simulate({ local: 'samelan', remote: 'samelan', seed: 1, transport, ...(await builtIns()) }))
      .strategy,
};

for (const [name, winner] of Object.entries(WORLDS)) {
  test(`one host or LAN, ${name}: lan-direct wins by UDP, lan-direct-tcp by TCP`, async () => {
    assert.equal(await winner('udp'), 'lan-direct@1');
    assert.equal(await winner('tcp'), 'lan-direct-tcp@1');
  });
}
