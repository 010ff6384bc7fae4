import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Endpoint } from '@awl/api';
import type { UdpSocket } from '@awl/engine';
import {
  KINDS,
  natOptions,
  SimulatedNetwork,
  type Kind,
  type KindName,
  type LinkCondition,
  type NatOptions,
  type Site,
} from '@awl/testkit';

const SERVER = { address: '192.0.2.9', port: 500 } as const;

/** A site, and a server that tells each sender its address. */
async function withServer(kind: KindName | Kind, link: LinkCondition = { delayMs: 10 }): Promise<Scene> {
  const network = new SimulatedNetwork({ seed: 3 });
  const server = await network
    .addPublicHost('server', [SERVER.address, '192.0.2.10'], { delayMs: 10 })
    .bindUdp({ family: 4, ...SERVER });
  const other = await network.addPublicHost('other', ['192.0.2.66']).bindUdp({ family: 4 });
  const site = network.addSite('a', kind, { link });
  return new Scene(network, site, server, other);
}

class Scene {
  readonly network: SimulatedNetwork;
  readonly site: Site;
  readonly server: UdpSocket;
  /** A stranger. */
  readonly other: UdpSocket;

  constructor(network: SimulatedNetwork, site: Site, server: UdpSocket, other: UdpSocket) {
    this.network = network;
    this.site = site;
    this.server = server;
    this.other = other;
  }

  async socket(): Promise<UdpSocket> {
    return await this.site.host.bindUdp({ family: 4 });
  }

  /** What `receiver` hears of one packet, as `address:port` of its sender, within a second; undefined for silence. */
  async sees(
    receiver: UdpSocket,
    sender: UdpSocket,
    to: Endpoint,
    ttl?: number,
  ): Promise<Endpoint | undefined> {
    let seen: Endpoint | undefined;
    receiver.onMessage = (_, from) => {
      seen = { ...from };
    };
    sender.send(Buffer.from('x'), to, ttl);
    await this.network.clock.run({ untilMs: this.network.clock.now() + 1000 });
    return seen;
  }

  async idle(ms: number): Promise<void> {
    await this.network.clock.run({ untilMs: this.network.clock.now() + ms });
  }
}

const home = (changes: Parameters<typeof natOptions>[0]): Kind => ({
  layout: 'home',
  title: '',
  nat: natOptions(changes),
});

describe('mappings', () => {
  const lifetimes: readonly [
    name: string,
    inboundRefresh: boolean,
    idleMs: readonly number[],
    expected: boolean,
  ][] = [
    ['live as long as they should', false, [19_000], true],
    ['and no longer', false, [21_000], false],
    ['inbound packets do not refresh them', false, [12_000, 12_000], false],
    ['unless they do', true, [12_000, 12_000], true],
  ];
  for (const [name, inboundRefresh, idleMs, expected] of lifetimes) {
    it(name, async () => {
      const scene = await withServer(home({ udp: { lifetimeMs: 20_000, inboundRefresh } }));
      const socket = await scene.socket();
      const mapped = await scene.sees(scene.server, socket, SERVER);
      let heard: Endpoint | undefined;
      for (const ms of idleMs) {
        await scene.idle(ms - 1000);
        heard = await scene.sees(socket, scene.server, mapped!);
      }
      assert.equal(heard !== undefined, expected);
    });
  }

  it('are gone after a reboot, and made anew', async () => {
    const scene = await withServer('X');
    const socket = await scene.socket();
    const before = await scene.sees(scene.server, socket, SERVER);
    scene.site.router!.reboot();
    assert.equal(await scene.sees(socket, scene.server, before!), undefined);
    assert.notDeepEqual(await scene.sees(scene.server, socket, SERVER), before);
  });

  it('move to the new address when the provider renumbers', async () => {
    const scene = await withServer('P');
    const socket = await scene.socket();
    const before = await scene.sees(scene.server, socket, SERVER);
    scene.site.router!.renumber('203.0.113.200');
    assert.equal(await scene.sees(socket, scene.server, before!), undefined);
    const after = await scene.sees(scene.server, socket, SERVER);
    assert.equal(after?.address, '203.0.113.200');
    assert.ok(await scene.sees(socket, scene.server, after));
  });

  it('of two sockets with one port: only one can have it', async () => {
    const scene = await withServer('P');
    const second = scene.network.addHost('second', scene.site.router!, { prefix: '192.168.99' });
    const one = await scene.site.host.bindUdp({ family: 4, port: 5000 });
    const two = await second.bindUdp({ family: 4, port: 5000 });
    assert.equal((await scene.sees(scene.server, one, SERVER))?.port, 5000);
    const other = await scene.sees(scene.server, two, SERVER);
    assert.ok(other && other.port !== 5000);
  });

  const full: readonly [whenFull: NatOptions['whenFull'], oldWorks: boolean, newWorks: boolean][] = [
    ['drop', true, false],
    ['evict-oldest', false, true],
  ];
  for (const [whenFull, oldWorks, newWorks] of full) {
    it(`beyond the limit of the table: ${whenFull}`, async () => {
      const scene = await withServer(home({ nat: { tableLimit: 10, whenFull } }));
      const sockets = await Promise.all(Array.from({ length: 11 }, () => scene.socket()));
      const mapped: (Endpoint | undefined)[] = [];
      for (const socket of sockets) mapped.push(await scene.sees(scene.server, socket, SERVER));
      assert.equal((await scene.sees(sockets[0]!, scene.server, mapped[0]!)) !== undefined, oldWorks);
      assert.equal(mapped[10] !== undefined, newWorks);
    });
  }

  it('make room in a full table when they die', async () => {
    const scene = await withServer(home({ udp: { lifetimeMs: 5000 }, nat: { tableLimit: 1 } }));
    const [one, two] = [await scene.socket(), await scene.socket()];
    assert.ok(await scene.sees(scene.server, one, SERVER));
    assert.equal(await scene.sees(scene.server, two, SERVER), undefined);
    await scene.idle(5000);
    assert.ok(await scene.sees(scene.server, two, SERVER));
  });

  for (const pooling of ['paired', 'arbitrary'] as const) {
    it(`from a pool of addresses: ${pooling}`, async () => {
      const scene = await withServer('open');
      const pool = ['203.0.113.101', '203.0.113.102', '203.0.113.103'];
      const router = scene.network.addRouter('pool', {
        address: '203.0.113.100',
        pool,
        nat: natOptions({ nat: { pooling } }),
      });
      const host = scene.network.addHost('inside', router, { prefix: '192.168.50' });
      const addresses = new Set<string | undefined>();
      for (let index = 0; index < 12; index++) {
        addresses.add((await scene.sees(scene.server, await host.bindUdp({ family: 4 }), SERVER))?.address);
      }
      assert.equal(addresses.size > 1, pooling === 'arbitrary');
    });
  }
});

describe('a NAT that remembers strangers', () => {
  it('gives the own flow that comes later another port, which the stranger does not know', async () => {
    const scene = await withServer('poison');
    const socket = await scene.socket();
    const mapped = await scene.sees(scene.server, socket, SERVER);
    assert.equal(mapped?.port, socket.local.port);
    assert.equal(await scene.sees(socket, scene.other, mapped), undefined);
    const late = await scene.sees(scene.other, socket, {
      address: '192.0.2.66',
      port: scene.other.local.port,
    });
    assert.notEqual(late?.port, mapped.port);
    assert.ok(await scene.sees(socket, scene.other, late!), 'the flow itself works');
    assert.deepEqual(await scene.sees(scene.server, socket, SERVER), mapped, 'other flows keep the mapping');
  });

  it('is not poisoned where the own packet went first, even one that died beyond the NAT', async () => {
    const scene = await withServer('poison');
    const socket = await scene.socket();
    const mapped = await scene.sees(scene.server, socket, SERVER);
    const stranger = { address: '192.0.2.66', port: scene.other.local.port };
    assert.equal(await scene.sees(scene.other, socket, stranger, 2), undefined);
    assert.ok(await scene.sees(socket, scene.other, mapped!));
    assert.deepEqual(await scene.sees(scene.other, socket, stranger), mapped);
  });

  it('forgets after half a minute', async () => {
    const scene = await withServer('poison');
    const socket = await scene.socket();
    const mapped = await scene.sees(scene.server, socket, SERVER);
    await scene.sees(socket, scene.other, mapped!);
    await scene.idle(30_000);
    assert.deepEqual(
      await scene.sees(scene.other, socket, { address: '192.0.2.66', port: scene.other.local.port }),
      mapped,
    );
  });
});

describe('time to live', () => {
  // The own router takes 1, the internet 6, the peer's router 1.
  const cases: readonly [kind: KindName, ttl: number, opensOwn: boolean, reaches: boolean][] = [
    ['P', 1, false, false],
    ['P', 2, true, false],
    ['P', 7, true, false],
    ['P', 8, true, true],
    ['cgn', 2, false, false],
    ['cgn', 3, true, false],
    ['cgn', 9, true, true],
  ];
  for (const [kind, ttl, opensOwn, reaches] of cases) {
    it(`${kind}, ttl ${ttl}: ${opensOwn ? 'opens the own NAT' : 'opens nothing'}, ${reaches ? 'arrives' : 'dies'}`, async () => {
      const scene = await withServer(kind);
      assert.equal(
        (await scene.sees(scene.server, await scene.socket(), SERVER, ttl)) !== undefined,
        reaches,
      );
      const outermost = scene.site.carrier ?? scene.site.router!;
      assert.equal(outermost.nat!.flows > 0, opensOwn);
    });
  }
});

describe('links', () => {
  const arrivals = async (
    link: LinkCondition,
    count: number,
    sizeBytes = 100,
  ): Promise<{ readonly order: number[]; readonly atMs: number[] }> => {
    const network = new SimulatedNetwork({ seed: 3 });
    const to = await network.addPublicHost('to', ['192.0.2.1']).bindUdp({ family: 4, port: 9 });
    const from = await network.addPublicHost('from', ['192.0.2.2'], link).bindUdp({ family: 4 });
    const order: number[] = [];
    const atMs: number[] = [];
    to.onMessage = (payload) => {
      order.push(Buffer.from(payload).readUInt16BE());
      atMs.push(network.clock.now());
    };
    for (let index = 0; index < count; index++) {
      const payload = Buffer.alloc(sizeBytes);
      payload.writeUInt16BE(index);
      from.send(payload, { address: '192.0.2.1', port: 9 });
    }
    await network.clock.run();
    return { order, atMs };
  };
  const sorted = (numbers: readonly number[]): boolean =>
    numbers.every((each, index) => index === 0 || each > numbers[index - 1]!);

  it('delay', async () => {
    assert.deepEqual((await arrivals({ delayMs: 25 }, 2)).atMs, [25, 25]);
  });
  it('lose the share of packets that they should', async () => {
    const { order } = await arrivals({ lossRatio: 0.2 }, 5000);
    assert.ok(Math.abs(order.length - 4000) < 150, String(order.length));
  });
  it('jitter without reordering', async () => {
    const { order, atMs } = await arrivals({ delayMs: 10, jitterMs: 20 }, 100);
    assert.ok(sorted(order) && new Set(atMs).size > 2);
  });
  it('jitter with reordering', async () => {
    assert.ok(!sorted((await arrivals({ delayMs: 10, jitterMs: 20, reorder: true }, 100)).order));
  });
  it('have a rate and a short queue', async () => {
    // 1028 bytes at 1 Mbit/s: 8.2 ms each; the queue holds 100 ms of them.
    const { atMs } = await arrivals({ rateBps: 1_000_000 }, 100, 1000);
    assert.ok(Math.abs(atMs[1]! - atMs[0]! - 8.224) < 0.001);
    assert.equal(atMs.length, 13);
  });
  it('drop what is larger than their MTU', async () => {
    assert.equal((await arrivals({ mtuBytes: 1280 }, 1, 1252)).order.length, 1);
    assert.equal((await arrivals({ mtuBytes: 1280 }, 1, 1253)).order.length, 0);
  });
});

describe('places', () => {
  const between = async (
    kind: KindName,
  ): Promise<{ readonly network: SimulatedNetwork; readonly a: Site; readonly b: Site }> => {
    const network = new SimulatedNetwork({ seed: 3 });
    const { local, remote } = network.addPair(kind, kind);
    return { network, a: local, b: remote };
  };
  const arrives = async (
    { network, a, b }: Awaited<ReturnType<typeof between>>,
    address: string,
  ): Promise<boolean> => {
    const to = await b.host.bindUdp({ family: address.includes(':') ? 6 : 4, port: 9 });
    const from = await a.host.bindUdp({ family: address.includes(':') ? 6 : 4 });
    let heard = false;
    to.onMessage = () => {
      heard = true;
    };
    from.send(Buffer.from('x'), { address, port: 9 });
    await network.clock.run();
    return heard;
  };
  const addressOf = ({ host }: Site, family: 4 | 6): string =>
    host.interfaces().find((each) => !each.internal && each.family === family)!.address;

  it('samelan: by the host address, and both see one gateway', async () => {
    const place = await between('samelan');
    assert.ok(await arrives(place, addressOf(place.b, 4)));
    assert.deepEqual(await place.a.host.gateways(), await place.b.host.gateways());
  });
  it('samenat: not by the host address', async () => {
    const place = await between('samenat');
    assert.ok(!(await arrives(place, addressOf(place.b, 4))));
  });
  it('two homes have gateways of their own', async () => {
    const { a, b } = await between('P');
    assert.notEqual((await a.host.gateways())[0]!.mac, (await b.host.gateways())[0]!.mac);
  });
  it('ipv6: the firewall lets in whom the host has sent to', async () => {
    const place = await between('ipv6');
    const [addressA, addressB] = [addressOf(place.a, 6), addressOf(place.b, 6)];
    assert.ok(!(await arrives(place, addressB)));
    const [a, b] = [await place.a.host.bindUdp({ family: 6 }), await place.b.host.bindUdp({ family: 6 })];
    let heard: Endpoint | undefined;
    b.onMessage = (_, from) => {
      heard = { ...from };
    };
    b.send(Buffer.from('x'), { address: addressA, port: a.local.port });
    a.send(Buffer.from('x'), { address: addressB, port: b.local.port });
    await place.network.clock.run();
    assert.deepEqual(heard, { address: addressA, port: a.local.port });
  });

  it('multicast reaches the LAN, the own host too, and nobody else', async () => {
    const place = await between('samelan');
    const outsider = place.network.addSite('elsewhere', 'P').host;
    const group = '239.255.7.7';
    const heard: string[] = [];
    for (const [name, host] of Object.entries({ a: place.a.host, b: place.b.host, outsider })) {
      const address = host.interfaces().find((each) => !each.internal)!.address;
      const socket = await host.bindUdp({ family: 4, address, port: 7770, multicastGroup: group });
      socket.onMessage = () => heard.push(name);
    }
    (await place.a.host.bindUdp({ family: 4 })).send(Buffer.from('x'), { address: group, port: 7770 });
    await place.network.clock.run();
    assert.deepEqual(heard.sort(), ['a', 'b']);
  });

  it('loopback stays within the host', async () => {
    const place = await between('samelan');
    const from = await place.a.host.bindUdp({ family: 4 });
    const heard: string[] = [];
    for (const [name, { host }] of Object.entries({ a: place.a, b: place.b })) {
      (await host.bindUdp({ family: 4, port: 9 })).onMessage = () => heard.push(name);
    }
    from.send(Buffer.from('x'), { address: '127.0.0.1', port: 9 });
    await place.network.clock.run();
    assert.deepEqual(heard, ['a']);
  });
});

it('a port that is taken cannot be bound', async () => {
  const { host } = new SimulatedNetwork({ seed: 1 }).addSite('a', 'P');
  await host.bindUdp({ family: 4, port: 9 });
  await assert.rejects(host.bindUdp({ family: 4, port: 9 }), { code: 'ERR_SOCKET_BIND' });
  await assert.rejects(host.bindUdp({ family: 4, address: '192.0.2.1' }), { code: 'ERR_SOCKET_BIND' });
});

it('the kinds have the titles that tables show', () => {
  for (const kind of Object.values(KINDS)) assert.ok(kind.title.length > 5);
});
