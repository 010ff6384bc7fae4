import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { Capability, Host } from '@awl/api';
import { lanHost } from '../../src/socket/lan-host.ts';
import type { Network } from '../../src/socket/network.ts';
import { nodeNetwork } from '../../src/socket/node-network.ts';

/** This machine with 127.0.0.1 as its gateway. */
const network: Network = {
  ...nodeNetwork,
  gateways: () => Promise.resolve([{ address: '127.0.0.1', interfaceName: 'lo' }]),
};
const never = new AbortController().signal;

function hostWith(...capabilities: Capability[]): Host {
  return lanHost(network, { plugin: 'sample', capabilities });
}

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('lanHttp', () => {
  it('speaks with the gateway', async (t) => {
    const base = await serve(t, (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () =>
        response
          .setHeader('x-seen', `${request.method} ${request.url} ${request.headers.host} ${body}`)
          .end('ok'),
      );
    });
    const answer = await hostWith('lan-http').lanHttp({
      url: `${base}/control?a=1`,
      method: 'POST',
      headers: { SOAPAction: '"x"', Host: 'evil.example', 'Content-Length': '1' },
      body: 'größe',
      signal: never,
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.body, 'ok');
    const { host } = new URL(base);
    assert.equal(
      Buffer.from(answer.headers['x-seen']!, 'latin1').toString(),
      `POST /control?a=1 ${host} größe`,
    );
  });

  it('follows no redirect', async (t) => {
    const base = await serve(t, (_request, response) =>
      response.writeHead(302, { location: 'http://198.51.100.1/' }).end(),
    );
    const answer = await hostWith('lan-http').lanHttp({ url: base, method: 'GET', signal: never });
    assert.equal(answer.status, 302);
  });

  it('refuses an endless answer', async (t) => {
    const base = await serve(t, (_request, response) => {
      const write = (): void => {
        while (response.write('x'.repeat(16_384)));
        response.once('drain', write);
      };
      write();
    });
    const answer = hostWith('lan-http').lanHttp({ url: base, method: 'GET', signal: never });
    await assert.rejects(answer, { code: 'ERR_LAN_HTTP_SIZE' });
  });

  it('ends with its signal, though the gateway says nothing', async (t) => {
    const heard = new Promise<Socket>((resolve) => {
      const server = createTcpServer(resolve).listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        answer = hostWith('lan-http').lanHttp({
          url: `http://127.0.0.1:${port}/`,
          method: 'GET',
          signal: stop.signal,
        });
        answer.catch(() => {});
      });
      t.after(() => server.close());
    });
    const stop = new AbortController();
    let answer: Promise<unknown> | undefined;
    const socket = await heard;
    t.after(() => socket.destroy());
    stop.abort(new Error('enough'));
    await assert.rejects(answer!, { message: 'enough' });
  });

  it('rejects where nothing listens and for an answer that is no HTTP', async (t) => {
    const server = createTcpServer((socket) => socket.end('SSH-2.0-x\r\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    for (const url of [`http://127.0.0.1:${port}/`, 'http://127.0.0.1:1/'])
      await assert.rejects(hostWith('lan-http').lanHttp({ url, method: 'GET', signal: never }), url);
  });

  for (const url of [
    'http://127.0.0.2/',
    'http://localhost/',
    'https://127.0.0.1/',
    'http://user@127.0.0.1/',
    'file:///etc/passwd',
    'nonsense',
    `http://127.0.0.1/${'x'.repeat(3000)}`,
  ])
    it(`denies ${url.slice(0, 40)}`, async () => {
      const answer = hostWith('lan-http').lanHttp({ url, method: 'GET', signal: never });
      await assert.rejects(answer, { code: 'ERR_LAN_HTTP_DENIED' });
    });

  it('needs the capability', async () => {
    const answer = hostWith('udp', 'multicast').lanHttp({
      url: 'http://127.0.0.1/',
      method: 'GET',
      signal: never,
    });
    await assert.rejects(answer, { code: 'ERR_PLUGIN_CAPABILITY' });
  });
});

describe('lanUdp', () => {
  it('speaks with the gateway, hears nobody else, sends nowhere else', async (t) => {
    const open = async (address: string): Promise<ReturnType<typeof createSocket>> => {
      const socket = createSocket('udp4').bind(0, address);
      await once(socket, 'listening');
      t.after(() => socket.close());
      return socket;
    };
    const [gateway, stranger] = [await open('127.0.0.1'), await open('127.0.0.2')];
    using socket = await hostWith('udp').lanUdp({ localAddress: '127.0.0.1' });
    const heard = new Promise<string>((resolve) => {
      socket.onDatagram = (payload, from) => resolve(`${Buffer.from(payload).toString()} ${from.address}`);
    });
    const asked = once(gateway, 'message');
    socket.send(Buffer.from('ask'), { address: '127.0.0.1', port: gateway.address().port });
    const [payload, from] = (await asked) as [Buffer, { port: number }];
    assert.equal(payload.toString(), 'ask');
    await new Promise((resolve) => stranger.send('lie', from.port, '127.0.0.1', resolve));
    gateway.send('answer', from.port, '127.0.0.1');
    assert.equal(await heard, 'answer 127.0.0.1');
    assert.throws(() => socket.send(payload, { address: '127.0.0.2', port: 9 }), {
      code: 'ERR_DESTINATION_DENIED',
    });
    assert.throws(() => socket.send(Buffer.alloc(1401), { address: '127.0.0.1', port: 9 }), {
      code: 'ERR_DESTINATION_DENIED',
    });
  });

  for (const [name, capabilities, options, code] of [
    ['no capability', ['lan-http'], {}, 'ERR_PLUGIN_CAPABILITY'],
    ['a group with udp alone', ['udp'], { multicastGroup: '239.255.255.250' }, 'ERR_PLUGIN_CAPABILITY'],
    [
      'a group on no interface',
      ['multicast'],
      { multicastGroup: '239.255.255.250' },
      'ERR_DESTINATION_DENIED',
    ],
    [
      'a group of the internet',
      ['multicast'],
      { multicastGroup: '232.1.1.1', localAddress: '127.0.0.1' },
      'ERR_DESTINATION_DENIED',
    ],
    [
      'no group at all',
      ['multicast'],
      { multicastGroup: '8.8.8.8', localAddress: '127.0.0.1' },
      'ERR_DESTINATION_DENIED',
    ],
    ["somebody else's address", ['udp'], { localAddress: '192.0.2.1' }, 'ERR_DESTINATION_DENIED'],
  ] as const)
    it(`refuses ${name}`, async () => {
      await assert.rejects(hostWith(...capabilities).lanUdp(options), { code });
    });
});
