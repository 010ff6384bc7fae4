/** What a forward carries, and what the engine survives: on this machine's own sockets, by way of a rendezvous in memory. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { AwlError } from '@awl/wire';
import { MemoryRendezvous } from './support/memory-rendezvous.ts';
import { echoServer, testNode, type TestNode } from './support/two-nodes.ts';

const portOf = (listen: string): number => Number(listen.split(':').at(-1));

function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  return socket;
}

/** Sends a text and resolves with what comes back until the other side ends. */
async function ask(port: number, text: string): Promise<string> {
  const socket = dial(port);
  socket.end(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

async function connected(transport: 'udp' | 'tcp'): Promise<{
  hub: MemoryRendezvous;
  a: TestNode;
  b: TestNode;
  port: number;
  ticket: string;
  listen: string;
  close: () => Promise<void>;
}> {
  const hub = new MemoryRendezvous();
  const { port, server } = await echoServer();
  const a = await testNode(hub, 'a');
  const b = await testNode(hub, 'b');
  const { ticket } = await a.engine.share({ target: `127.0.0.1:${port}` });
  const { listen } = await b.engine.forward({ ticket, listen: ':0', transport });
  const close = async (): Promise<void> => {
    await b.engine.close();
    await a.engine.close();
    server.close();
  };
  return { hub, a, b, port, ticket, listen, close };
}

for (const transport of ['udp', 'tcp'] as const) {
  describe(`a session over ${transport}`, () => {
    let world: Awaited<ReturnType<typeof connected>>;
    before(async () => (world = await connected(transport)));
    after(() => world.close());

    test('carries 100 connections at once, each with its own bytes', async () => {
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          ask(portOf(world.listen), `connection ${index} `.repeat(500)),
        ),
      );
      answers.forEach((answer, index) => assert.equal(answer, `connection ${index} `.repeat(500)));
    });

    test('ends one direction and goes on with the other', async () => {
      assert.equal(await ask(portOf(world.listen), 'half-close'), 'half-close');
    });

    test('goes on for old and new streams when the rendezvous is gone', async () => {
      const socket = dial(portOf(world.listen));
      socket.write('before');
      assert.equal(String((await once(socket, 'data'))[0]), 'before');
      world.hub.dead = true;
      socket.write('after');
      assert.equal(String((await once(socket, 'data'))[0]), 'after');
      assert.equal(await ask(portOf(world.listen), 'a new stream'), 'a new stream');
      socket.destroy();
      world.hub.dead = false;
    });

    test('survives the loss of its path: the stream goes on at the exact byte over another', async () => {
      const socket = dial(portOf(world.listen));
      const sent = 'one byte after the other '.repeat(200_000);
      let received = 0;
      let cut = false;
      const lost = new Promise((resolve) => world.b.engine.on('path.lost', resolve));
      const whole = new Promise<string>((resolve) => {
        const chunks: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          received += chunk.length;
          if (!cut && received > sent.length / 3) {
            cut = true;
            void world.b.engine.registry.releaseTransports({ plugin: 'built-in', capabilities: [] }, true);
          }
        });
        socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
      });
      socket.end(sent);
      assert.ok((await whole) === sent, 'the bytes differ');
      if (transport === 'udp') await lost;
    });

    test('leaks nothing over 300 connections', async () => {
      const { peers } = world.b.engine.state.state;
      const streams = (): number => Object.values(peers).reduce((sum, { streams: open }) => sum + open, 0);
      const before = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
      for (let round = 0; round < 30; round++)
        await Promise.all(Array.from({ length: 10 }, () => ask(portOf(world.listen), 'x')));
      await new Promise((resolve) => setImmediate(resolve));
      const left = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
      assert.ok(left <= before + 4, `${before} sockets before, ${left} after`);
      assert.ok(streams() <= 2);
    });
  });
}

test('a slow reader holds a bounded amount of memory and starves nobody', async () => {
  const hub = new MemoryRendezvous();
  const block = Buffer.alloc(1 << 16);
  let producedBytes = 0;
  const flood = createServer((socket) => {
    socket.on('error', () => {});
    const more = (): void => {
      do producedBytes += block.length;
      while (socket.write(block) && producedBytes < 1 << 30);
    };
    socket.on('drain', more);
    more();
  });
  await new Promise<void>((resolve) => void flood.listen(0, '127.0.0.1', resolve));
  const a = await testNode(hub, 'a');
  const b = await testNode(hub, 'b');
  const { port, server } = await echoServer();
  const flooding = await a.engine.share({
    target: `127.0.0.1:${(flood.address() as { port: number }).port}`,
  });
  const echo = await a.engine.share({ target: `127.0.0.1:${port}` });
  try {
    const slow = await b.engine.forward({ ticket: flooding.ticket, listen: ':0' });
    const quick = await b.engine.forward({ ticket: echo.ticket, listen: ':0', target: `127.0.0.1:${port}` });
    const reader = dial(portOf(slow.listen));
    reader.pause();
    await once(reader, 'connect');
    let settledAt = -1;
    while (settledAt !== producedBytes) {
      settledAt = producedBytes;
      assert.equal(await ask(portOf(quick.listen), 'still alive'), 'still alive');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // The windows of session and sockets, and no more.
    assert.ok(producedBytes < 64 << 20, `${producedBytes} bytes were taken for a reader that reads none`);
    reader.destroy();
  } finally {
    await b.engine.close();
    await a.engine.close();
    flood.close();
    server.close();
  }
});

test('UDP: datagrams go there and back, each client its own', async () => {
  const hub = new MemoryRendezvous();
  const echo = createSocket('udp4');
  echo.on('message', (message, { port, address }) => echo.send(message, port, address));
  await new Promise<void>((resolve) => void echo.bind(0, '127.0.0.1', resolve));
  const a = await testNode(hub, 'a');
  const b = await testNode(hub, 'b');
  const clients = [createSocket('udp4'), createSocket('udp4')];
  try {
    const { ticket } = await a.engine.share({ target: `127.0.0.1:${echo.address().port}`, protocol: 'udp' });
    const { listen } = await b.engine.forward({ ticket, listen: ':0', protocol: 'udp' });
    for (const [index, client] of clients.entries()) {
      const answered = once(client, 'message');
      const timer = setInterval(() => client.send(`client ${index}`, portOf(listen), '127.0.0.1'), 50);
      const [message] = (await answered.finally(() => clearInterval(timer))) as [Buffer];
      assert.equal(message.toString(), `client ${index}`);
    }
  } finally {
    for (const client of clients) client.close();
    await b.engine.close();
    await a.engine.close();
    echo.close();
  }
});

describe('refusals are coded, and the node lives on', () => {
  const cases: readonly {
    readonly name: string;
    readonly ticketOf: (a: TestNode, port: number) => Promise<string>;
    readonly code: string;
  }[] = [
    {
      name: 'an expired ticket',
      ticketOf: async (a, port) => (await a.engine.share({ target: String(port), expiresS: -5 })).ticket,
      code: 'ERR_TICKET_EXPIRED',
    },
    {
      name: 'a revoked ticket',
      ticketOf: async (a, port) => {
        const { share, ticket } = await a.engine.share({ target: String(port) });
        await a.engine.unshare(share);
        return ticket;
      },
      code: 'ERR_TICKET_REVOKED',
    },
    {
      name: 'a broken ticket',
      ticketOf: async (a, port) =>
        `${(await a.engine.share({ target: String(port) })).ticket.slice(0, -6)}aaaaaa`,
      code: 'ERR_TICKET_CHECKSUM',
    },
  ];
  for (const { name, ticketOf, code } of cases) {
    test(name, async () => {
      const hub = new MemoryRendezvous();
      const { port, server } = await echoServer();
      const a = await testNode(hub, 'a');
      const b = await testNode(hub, 'b');
      try {
        await assert.rejects(
          b.engine.connect({ ticket: await ticketOf(a, port) }),
          (error: AwlError) => error.code === code,
        );
        const { ticket } = await a.engine.share({ target: String(port) });
        const { listen } = await b.engine.forward({ ticket, listen: ':0' });
        assert.equal(await ask(portOf(listen), 'alive'), 'alive');
      } finally {
        await b.engine.close();
        await a.engine.close();
        server.close();
      }
    });
  }

  test('a peer without any right, a peer that is not there, a target that refuses', async () => {
    const hub = new MemoryRendezvous();
    const a = await testNode(hub, 'a');
    const b = await testNode(hub, 'b');
    try {
      await assert.rejects(
        b.engine.connect({ peer: 'a' }),
        (error: AwlError) => error.code === 'ERR_AUTH_REFUSED',
      );
      await assert.rejects(
        b.engine.connect({ peer: 'nobody' }),
        (error: AwlError) => error.code === 'ERR_PEER_UNKNOWN',
      );
      const { server, port } = await echoServer();
      server.close();
      await once(server, 'close');
      const { ticket } = await a.engine.share({ target: String(port) });
      const { listen } = await b.engine.forward({ ticket, listen: ':0' });
      const failed = new Promise<{ code: string }>((resolve) => b.engine.on('forward.failed', resolve));
      assert.equal(await ask(portOf(listen), 'x').catch(() => ''), '');
      assert.equal((await failed).code, 'ERR_TARGET_REFUSED');
    } finally {
      await b.engine.close();
      await a.engine.close();
    }
  });

  test('without strategies an engine connects nothing, and says so', async () => {
    const hub = new MemoryRendezvous();
    const a = await testNode(hub, 'a');
    const b = await testNode(hub, 'b');
    try {
      const { ticket } = await a.engine.share({ target: '9' });
      await assert.rejects(
        b.engine.connect({ ticket }, { strategies: ['none-such'] }),
        (error: AwlError) => error.code === 'ERR_PATH_NO_STRATEGY',
      );
    } finally {
      await b.engine.close();
      await a.engine.close();
    }
  });
});

test('glare: both dial at once and share one session', async () => {
  const hub = new MemoryRendezvous();
  const { port, server } = await echoServer();
  const a = await testNode(hub, 'a');
  const b = await testNode(hub, 'b');
  try {
    const fromA = await a.engine.share({ target: String(port) });
    const fromB = await b.engine.share({ target: String(port) });
    const [one, other] = await Promise.all([
      a.engine.connect({ ticket: fromB.ticket }),
      b.engine.connect({ ticket: fromA.ticket }),
    ]);
    assert.equal(one, b.identity.peerId);
    assert.equal(other, a.identity.peerId);
    const [{ rttMs }, { rttMs: back }] = await Promise.all([a.engine.ping(one), b.engine.ping(other)]);
    assert.ok(rttMs >= 0 && back >= 0);
  } finally {
    await b.engine.close();
    await a.engine.close();
    server.close();
  }
});
