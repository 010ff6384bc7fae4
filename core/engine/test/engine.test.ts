import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { MemoryRendezvous } from './support/memory-rendezvous.ts';
import { echoServer, testNode } from './support/two-nodes.ts';

for (const transport of ['udp', 'tcp'] as const) {
  test(`two nodes on one host: a forward carries bytes both ways over ${transport}`, async () => {
    const hub = new MemoryRendezvous();
    const { port, server } = await echoServer();
    const a = await testNode(hub, 'a');
    const b = await testNode(hub, 'b');
    try {
      const { ticket } = await a.engine.share({ target: `127.0.0.1:${port}` });
      const { listen } = await b.engine.forward({ ticket, listen: ':0', transport });
      const sent = randomBytes(1 << 20);
      const socket = connect(Number(listen.split(':').at(-1)), '127.0.0.1');
      socket.end(sent);
      const hash = createHash('sha256');
      for await (const chunk of socket) hash.update(chunk as Buffer);
      assert.equal(hash.digest('hex'), createHash('sha256').update(sent).digest('hex'));
      const path = b.engine.state.state.peers[a.identity.peerId]?.path;
      assert.equal(path?.kind, 'lan');
      assert.equal(path?.transport, transport === 'udp' ? 'kcp' : 'tcp');
    } finally {
      await b.engine.close();
      await a.engine.close();
      server.close();
      await once(server, 'close');
    }
  });
}
