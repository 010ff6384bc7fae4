import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PortMapper } from '@awl/api';
import { NatPmpMapper } from '../src/nat-pmp-mapper.ts';
import { PcpMapper } from '../src/pcp-mapper.ts';
import { MAPPED, natPmpRouter, pcpRouter, place, ROUTER, type Answer } from './fake-router.ts';

const never = new AbortController().signal;
const WISH = { protocol: 'udp', internalPort: 4000, lifetimeS: 7200 } as const;

const MAPPERS: readonly {
  readonly id: string;
  readonly make: (parts: ReturnType<typeof place>['parts']) => PortMapper;
  readonly router: (options?: { readonly result?: number; readonly epochS?: () => number }) => Answer;
}[] = [
  { id: 'nat-pmp', make: (parts) => new NatPmpMapper(parts), router: natPmpRouter },
  { id: 'pcp', make: (parts) => new PcpMapper(4, parts), router: pcpRouter },
];

for (const { id, make, router } of MAPPERS)
  describe(id, () => {
    it('finds the router, maps, refreshes and unmaps', async () => {
      const { parts, clock, requests, openSockets } = place(router());
      const mapper = make(parts);
      assert.equal(mapper.id, id);
      assert.equal((await clock.complete(mapper.discover(never)))?.address, ROUTER);
      const mapping = await clock.complete(mapper.map(WISH, never));
      assert.deepEqual({ ...mapping, handle: '' }, { ...MAPPED, handle: '' });
      const refreshed = await clock.complete(mapper.refresh(mapping, never));
      assert.deepEqual(refreshed, mapping);
      await clock.complete(mapper.unmap(mapping, never));
      assert.equal(openSockets(), 0);
      assert.ok(requests.every(({ from }) => from === '192.168.1.5'));
      const { bytes } = requests.at(-1)!;
      const lifetimeAt = id === 'pcp' ? 4 : 8;
      assert.equal(new DataView(bytes.buffer).getUint32(lifetimeAt), 0, 'unmapping is a lifetime of zero');
    });

    it('unmaps after a crash, from the record alone', async () => {
      const { parts, clock } = place(router());
      const mapping = await clock.complete(make(parts).map(WISH, never));
      await clock.complete(make(parts).unmap(JSON.parse(JSON.stringify(mapping)), never));
    });

    it('sends again after 250 ms, then doubles (RFC 6886 §3.1)', async () => {
      const { parts, clock, requests } = place(() => []);
      assert.equal(await clock.complete(make(parts).discover(never)), undefined);
      assert.deepEqual(
        requests.map(({ atMs }) => atMs),
        [0, 250, 750],
      );
      assert.equal(clock.now(), 1750);
    });

    it('gets through when the first packets are lost', async () => {
      let lost = 2;
      const answer = router();
      const { parts, clock, requests } = place((request) => (lost-- > 0 ? [] : answer(request)));
      const found = await clock.complete(make(parts).discover(never));
      assert.equal(found?.address, ROUTER);
      assert.equal(requests.length, 3);
    });

    it('stops with its signal', async () => {
      const { parts, clock, openSockets } = place(() => []);
      const stop = new AbortController();
      clock.schedule(100, () => stop.abort(new Error('enough')));
      await assert.rejects(clock.complete(make(parts).discover(stop.signal)), { message: 'enough' });
      assert.equal(clock.now(), 100);
      assert.equal(openSockets(), 0);
    });

    for (const [name, from] of [
      ['another address', { address: '192.168.1.66', port: 5351 }],
      ['another port', { address: ROUTER, port: 9999 }],
    ] as const)
      it(`believes no answer from ${name}`, async () => {
        const answer = router();
        const { parts, clock } = place((request) =>
          answer(request).map((bytes) => ({ from, bytes: bytes as Uint8Array })),
        );
        assert.equal(await clock.complete(make(parts).discover(never)), undefined);
      });

    it('reads past garbage', async () => {
      const answer = router();
      const { parts, clock } = place((request) => [
        Uint8Array.of(),
        Uint8Array.of(255, 255, 255),
        new Uint8Array(1100).fill(0x80),
        ...answer(request),
      ]);
      assert.ok(await clock.complete(make(parts).map(WISH, never)));
    });

    it('says why the router refuses', async () => {
      let result = 0;
      const { parts, clock } = place((request) => router({ result })(request));
      const mapper = make(parts);
      await clock.complete(mapper.discover(never));
      result = 2;
      await assert.rejects(clock.complete(mapper.map(WISH, never)), {
        message: /the router refused: .*port mapping is turned off in the router/i,
      });
    });

    it('says so when there is no router', async () => {
      const { parts, clock } = place(() => []);
      await assert.rejects(clock.complete(make(parts).map(WISH, never)), { message: /no router .* speaks/ });
    });

    it('notices by the epoch that the router restarted', async () => {
      let epochS = 1000;
      const { parts, clock, lines } = place(router({ epochS: () => epochS }));
      const mapper = make(parts);
      const mapping = await clock.complete(mapper.map(WISH, never));
      await clock.run({ untilMs: 60_000 });
      epochS = 5;
      await clock.complete(mapper.refresh(mapping, never));
      assert.deepEqual(lines, [`the router ${ROUTER} has restarted: its mappings are made again`]);
    });

    for (const handle of ['', 'null', '{}', '{"address":1}', 'x'.repeat(600)])
      it(`refuses the damaged record ${handle.slice(0, 20) || 'of nothing'}`, async () => {
        const { parts } = place(router());
        await assert.rejects(make(parts).unmap({ ...MAPPED, handle }, never), { message: /damaged/ });
      });
  });

describe('pcp', () => {
  it('leaves a router that knows NAT-PMP alone at once to that', async () => {
    const { parts, clock, requests } = place(natPmpRouter());
    assert.equal(await clock.complete(new PcpMapper(4, parts).discover(never)), undefined);
    assert.equal(requests.length, 1);
  });

  it('keeps its nonce when it refreshes, and has another for each mapping (RFC 6887 §11.2)', async () => {
    const { parts, clock, requests } = place(pcpRouter());
    const mapper = new PcpMapper(4, parts);
    const mapping = await clock.complete(mapper.map(WISH, never));
    await clock.complete(mapper.refresh(mapping, never));
    await clock.complete(mapper.map({ ...WISH, internalPort: 4001 }, never));
    const nonces = requests
      .filter(({ bytes }) => bytes[1] === 1)
      .map(({ bytes }) => Buffer.from(bytes.subarray(24, 36)).toString('hex'));
    assert.equal(nonces[0], nonces[1]);
    assert.notEqual(nonces[1], nonces[2]);
  });
});

describe('pcp-ipv6', () => {
  it('lets a mapping end soon that the router does not delete', async () => {
    const kind = pcpRouter();
    const strict = pcpRouter({ result: 2 });
    const lifetimes: number[] = [];
    const { parts, clock } = place((request) => {
      const lifetimeS = new DataView(request.buffer).getUint32(4);
      if (request[1] === 1) lifetimes.push(lifetimeS);
      return (request[1] === 1 && lifetimeS === 0 ? strict : kind)(request);
    });
    const mapper = new PcpMapper(6, parts);
    const mapping = await clock.complete(mapper.map(WISH, never));
    await clock.complete(mapper.unmap(mapping, never));
    assert.deepEqual(lifetimes, [7200, 0, 1]);
  });

  it('opens the firewall for the global address', async () => {
    const { parts, clock, requests } = place(pcpRouter());
    const mapper = new PcpMapper(6, parts);
    assert.equal(mapper.id, 'pcp-ipv6');
    const mapping = await clock.complete(mapper.map(WISH, never));
    assert.equal(mapping.externalAddress, '2001:db8::5');
    assert.equal(mapping.externalPort, 4000);
    assert.ok(requests.every(({ from }) => from === '2001:db8::5'));
  });
});
