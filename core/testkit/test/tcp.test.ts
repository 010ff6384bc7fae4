import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Endpoint } from '@awl/api';
import { DialError, type TcpPort, type TcpStream } from '@awl/engine';
import {
  SimulatedNetwork,
  SYN,
  type KindName,
  type LinkCondition,
  type SimulatedHost,
  type Site,
} from '@awl/testkit';

interface Pair {
  readonly network: SimulatedNetwork;
  readonly a: Site;
  readonly b: Site;
  /** The external endpoint of a port, known because these kinds preserve ports. */
  readonly publicOf: (side: 'a' | 'b', port: TcpPort) => Endpoint;
}

function pair(a: KindName, b: KindName, link: LinkCondition = { delayMs: 10 }): Pair {
  const network = new SimulatedNetwork({ seed: 7 });
  const { local, remote } = network.addPair(a, b, { local: { link }, remote: { link } });
  return {
    network,
    a: local,
    b: remote,
    publicOf: (side, { local: { port } }) => ({
      address: side === 'a' ? '203.0.113.11' : '198.51.100.12',
      port,
    }),
  };
}

async function reserve({ host }: Site): Promise<TcpPort> {
  return await host.reserveTcp({ family: 4 });
}

/** What a dial came to, and when. */
async function outcome(host: SimulatedHost, dialled: Promise<TcpStream>): Promise<string> {
  return await dialled.then(
    () => `connected at ${host.now().toFixed(1)}`,
    (error: unknown) =>
      `${error instanceof DialError ? error.outcome : String(error)} at ${host.now().toFixed(1)}`,
  );
}

describe('TCP simultaneous open', () => {
  const cases: readonly [
    name: string,
    kind: KindName,
    skewMs: number,
    expected: readonly [string, string],
  ][] = [
    ['both at once: one round trip', 'P', 0, ['connected at 40.8', 'connected at 40.8']],
    ['crossing on the way', 'P', 15, ['connected at 40.8', 'connected at 55.8']],
    [
      'half a second late: the second SYN finds an open filter',
      'P',
      500,
      ['connected at 561.2', 'connected at 540.8'],
    ],
    [
      'late against a router that answers with RST: both are refused',
      'rst',
      500,
      ['refused at 40.4', 'refused at 540.4'],
    ],
    ['at once against such routers', 'rst', 0, ['connected at 40.8', 'connected at 40.8']],
  ];
  for (const [name, kind, skewMs, expected] of cases) {
    it(name, async () => {
      const { network, a, b, publicOf } = pair(kind, kind);
      const [portA, portB] = [await reserve(a), await reserve(b)];
      const first = outcome(a.host, portA.dial(publicOf('b', portB), { timeoutMs: 5000 }));
      const second = new Promise<string>((resolve) => {
        network.clock.schedule(skewMs, () =>
          resolve(outcome(b.host, portB.dial(publicOf('a', portA), { timeoutMs: 5000 }))),
        );
      });
      assert.deepEqual(await network.clock.complete(Promise.all([first, second])), expected);
    });
  }

  it('carries data both ways afterwards', async () => {
    const { network, a, b, publicOf } = pair('P', 'P');
    const [portA, portB] = [await reserve(a), await reserve(b)];
    const both = Promise.all([
      portA.dial(publicOf('b', portB), { timeoutMs: 5000 }),
      portB.dial(publicOf('a', portA), { timeoutMs: 5000 }),
    ]);
    const [left, right] = await network.clock.complete(both);
    left.stream.end('to the right');
    right.stream.end('to the left');
    assert.deepEqual(await network.clock.complete(Promise.all([text(left), text(right)])), [
      'to the left',
      'to the right',
    ]);
  });

  it('is refused by a host whose port is not dialling yet, where the NAT lets the SYN in', async () => {
    const { network, a, b, publicOf } = pair('open', 'open');
    const [portA, portB] = [await reserve(a), await reserve(b)];
    assert.equal(
      await network.clock.complete(outcome(a.host, portA.dial(publicOf('b', portB), { timeoutMs: 5000 }))),
      'refused at 40.0',
    );
  });
});

describe('a dial', () => {
  it('repeats its SYN after 1, 2 and 4 s, and times out', async () => {
    const { network, a } = pair('P', 'P');
    const sentAt: number[] = [];
    network.onTrace = ({ atMs, event, packet }) => {
      if (event === 'sent' && packet.flags === SYN) sentAt.push(Math.round(atMs));
    };
    const port = await reserve(a);
    assert.equal(
      await network.clock.complete(
        outcome(a.host, port.dial({ address: '198.51.100.12', port: 9 }, { timeoutMs: 9000 })),
      ),
      'timeout at 9000.0',
    );
    assert.deepEqual(sentAt, [0, 1000, 3000, 7000]);
  });

  it('can be aborted, and ends with its port', async () => {
    const { network, a } = pair('P', 'P');
    const stop = new AbortController();
    const [first, second] = [await reserve(a), await reserve(a)];
    const dials = [
      first.dial({ address: '198.51.100.12', port: 9 }, { timeoutMs: 9000, signal: stop.signal }),
      second.dial({ address: '198.51.100.12', port: 9 }, { timeoutMs: 9000 }),
    ];
    network.clock.schedule(100, () => stop.abort());
    network.clock.schedule(200, () => second[Symbol.dispose]());
    assert.deepEqual(await network.clock.complete(Promise.all(dials.map((dial) => outcome(a.host, dial)))), [
      'aborted at 100.0',
      'aborted at 200.0',
    ]);
  });

  it('finds a router that answers with ICMP unreachable', async () => {
    const network = new SimulatedNetwork({ seed: 1 });
    const { host } = network.addSite('a', 'P');
    const { nat, ...rest } = (await import('@awl/testkit')).KINDS.P;
    network.addSite('b', { ...rest, nat: { ...nat, tcp: { ...nat.tcp, unsolicited: 'icmp' } } });
    const port = await host.reserveTcp({ family: 4 });
    assert.match(
      await network.clock.complete(
        outcome(host, port.dial({ address: '198.51.100.12', port: 9 }, { timeoutMs: 9000 })),
      ),
      /^unreachable/,
    );
  });
});

describe('a TCP connection', () => {
  async function connect(
    a: KindName,
    b: KindName,
    link: LinkCondition,
  ): Promise<Pair & { readonly client: TcpStream; readonly server: TcpStream }> {
    const made = pair(a, b, link);
    const listening = await reserve(made.b);
    const accepted = new Promise<TcpStream>((resolve) => void listening.listen(resolve));
    const dialled = (await reserve(made.a)).dial(made.publicOf('b', listening), { timeoutMs: 30_000 });
    const [client, server] = await made.network.clock.complete(Promise.all([dialled, accepted]));
    return { ...made, client, server };
  }

  it('delivers every byte in order over a lossy, reordering link', async () => {
    const { network, client, server } = await connect('P', 'open', {
      delayMs: 20,
      lossRatio: 0.03,
      jitterMs: 10,
      reorder: true,
    });
    const sent = network.random.fork('data').bytes(1_000_000);
    client.stream.end(sent);
    const got = await network.clock.complete(bytes(server));
    assert.equal(digest(got), digest(sent));
  });

  it('stops the writer where nobody reads', async () => {
    const { network, client, server } = await connect('P', 'open', { delayMs: 1 });
    client.stream.write(Buffer.alloc(2_000_000));
    await network.clock.run({ untilMs: network.clock.now() + 2000 });
    assert.ok(server.stream.readableLength < 300_000);
    client.stream.end();
    assert.equal((await network.clock.complete(bytes(server))).length, 2_000_000);
  });

  it('outlives a reboot of a port-preserving NAT', async () => {
    const { network, a, client, server } = await connect('P', 'open', { delayMs: 5 });
    a.router!.reboot();
    client.stream.end('still here');
    assert.equal(await network.clock.complete(text(server)), 'still here');
  });

  it('breaks when a NAT with random ports reboots', async () => {
    const { network, a, client } = await connect('X', 'open', { delayMs: 5 });
    const broken = new Promise<string>((resolve) =>
      client.stream.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '')),
    );
    a.router!.reboot();
    client.stream.write('hello?');
    assert.equal(await network.clock.complete(broken), 'ECONNRESET');
  });

  it('breaks when the network is gone', async () => {
    const { network, a, client } = await connect('P', 'open', { delayMs: 5 });
    const broken = new Promise<string>((resolve) =>
      client.stream.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '')),
    );
    a.host.setLink({ lossRatio: 1 });
    client.stream.write('hello?');
    assert.equal(await network.clock.complete(broken), 'ETIMEDOUT');
  });
});

async function bytes({ stream }: TcpStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function text(stream: TcpStream): Promise<string> {
  return (await bytes(stream)).toString();
}

function digest(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
