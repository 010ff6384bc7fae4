import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  KINDS,
  natOptions,
  Packet,
  SeededRandom,
  SimulatedNetwork,
  UDP,
  type NatBehaviour,
} from '@awl/testkit';
import { Nat } from '../src/network/nat.ts';

const LIFETIME_MS = 1000;
const EXTERNAL = 99;

interface Step {
  readonly waitMs: number;
  readonly inbound: boolean;
  readonly internal: number;
  readonly port: number;
  readonly remote: number;
  readonly remotePort: number;
}

const steps = fc.array(
  fc.record({
    waitMs: fc.constantFrom(0, 10, 400, 1000),
    inbound: fc.boolean(),
    internal: fc.integer({ min: 1, max: 2 }),
    port: fc.integer({ min: 5000, max: 5002 }),
    remote: fc.integer({ min: 50, max: 52 }),
    remotePort: fc.integer({ min: 80, max: 82 }),
  }),
  { maxLength: 60 },
);
const behaviours = fc.record({
  mapping: fc.constantFrom('EIM', 'ADM', 'APDM'),
  filtering: fc.constantFrom('EIF', 'ADF', 'APDF'),
  allocation: fc.constantFrom(
    { law: 'preserving' },
    { law: 'random' },
    { law: 'contiguous', step: 3, foreignPerSecond: 2 },
  ),
  overloading: fc.boolean(),
}) as fc.Arbitrary<Pick<NatBehaviour, 'mapping' | 'filtering' | 'allocation' | 'overloading'>>;

/** What a flow is, and where it left. */
interface Flow {
  readonly internal: string;
  readonly remote: number;
  readonly remotePort: number;
  readonly externalPort: number;
  lastMs: number;
}

describe('a NAT, whatever its behaviour and whatever it meets', () => {
  it('admits exactly whom its filtering admits, brings back replies, and gives no two flows one endpoint', () => {
    fc.assert(
      fc.property(behaviours, steps, fc.integer(), (behaviour, taken, seed) => {
        const nat = new Nat(
          natOptions({ udp: { ...behaviour, lifetimeMs: LIFETIME_MS } }),
          [EXTERNAL],
          new SeededRandom(seed),
        );
        const flows: Flow[] = [];
        let nowMs = 0;
        for (const step of taken) {
          nowMs += step.waitMs;
          const alive = flows.filter(({ lastMs }) => nowMs < lastMs + LIFETIME_MS);
          if (step.inbound) checkInbound(nat, behaviour, alive, step, nowMs);
          else checkOutbound(nat, behaviour, flows, alive, step, nowMs);
        }
      }),
      { numRuns: 500 },
    );
  });
});

function checkOutbound(
  nat: Nat,
  behaviour: Pick<NatBehaviour, 'mapping' | 'overloading'>,
  flows: Flow[],
  alive: readonly Flow[],
  step: Step,
  nowMs: number,
): void {
  const packet = new Packet(UDP, step.internal, step.port, step.remote, step.remotePort);
  assert.equal(nat.outbound(packet, nowMs), null);
  assert.equal(packet.source, EXTERNAL);
  const flow: Flow = {
    internal: `${step.internal}:${step.port}`,
    remote: step.remote,
    remotePort: step.remotePort,
    externalPort: packet.sourcePort,
    lastMs: nowMs,
  };
  for (const other of alive) {
    const sameRemote =
      other.remote === flow.remote && (behaviour.mapping === 'ADM' || other.remotePort === flow.remotePort);
    if (other.internal === flow.internal && (behaviour.mapping === 'EIM' || sameRemote))
      assert.equal(flow.externalPort, other.externalPort, 'one mapping');
    const collides =
      other.externalPort === flow.externalPort &&
      (!behaviour.overloading || (other.remote === flow.remote && other.remotePort === flow.remotePort));
    if (collides) assert.equal(other.internal, flow.internal, 'two hosts, one external endpoint');
  }
  const known = flows.find(
    (each) =>
      each.internal === flow.internal &&
      each.externalPort === flow.externalPort &&
      each.remote === flow.remote &&
      each.remotePort === flow.remotePort,
  );
  if (known) known.lastMs = nowMs;
  else flows.push(flow);
}

function checkInbound(
  nat: Nat,
  { filtering }: Pick<NatBehaviour, 'filtering'>,
  alive: readonly Flow[],
  step: Step,
  nowMs: number,
): void {
  const target = alive.at(-1)?.externalPort ?? step.port;
  const packet = new Packet(UDP, step.remote, step.remotePort, EXTERNAL, target);
  const admitting = alive.filter((flow) => {
    if (flow.externalPort !== target) return false;
    if (filtering === 'EIF') return true;
    return flow.remote === step.remote && (filtering === 'ADF' || flow.remotePort === step.remotePort);
  });
  const refused = nat.inbound(packet, nowMs);
  // A stranger that EIF or ADF let in before may still be known after the flow that let him in: that is for the tests of lifetimes.
  if (admitting.length > 0) assert.equal(refused, null, 'an expected packet');
  else if (filtering === 'APDF') assert.equal(refused, 'filtered', 'a stranger');
  if (refused === null && admitting.length > 0)
    assert.ok(
      admitting.some(({ internal }) => internal === `${packet.destination}:${packet.destinationPort}`),
    );
}

describe('a whole network', () => {
  const digest = async (seed: number): Promise<string> => {
    const network = new SimulatedNetwork({ seed });
    const hash = createHash('sha256');
    network.onTrace = (event) => void hash.update(network.describe(event));
    const link = { delayMs: 10, jitterMs: 5, reorder: true, lossRatio: 0.05 };
    const { local, remote } = network.addPair('X', 'Q', { local: { link }, remote: { link } });
    const [a, b] = [await local.host.bindUdp({ family: 4 }), await remote.host.bindUdp({ family: 4 })];
    const random = network.random.fork('test');
    for (let index = 0; index < 500; index++) {
      network.clock.schedule(index, () =>
        a.send(random.bytes(20), { address: '198.51.100.12', port: 1024 + random.integer(5000) }),
      );
      network.clock.schedule(index, () =>
        b.send(random.bytes(20), { address: '203.0.113.11', port: 1024 + random.integer(5000) }),
      );
    }
    const port = await local.host.reserveTcp({ family: 4 });
    await network.clock.complete(
      port.dial({ address: '198.51.100.12', port: 80 }, { timeoutMs: 4000 }).catch(() => {}),
    );
    return hash.digest('hex');
  };

  it('runs the same way from the same seed, packet by packet, and another way from another', async () => {
    assert.equal(await digest(11), await digest(11));
    assert.notEqual(await digest(11), await digest(12));
  });
});

it('contiguous allocation skips the ports of foreign traffic', () => {
  const { allocation } = KINDS.Q.nat.udp;
  assert.deepEqual(allocation, { law: 'contiguous', step: 1, foreignPerSecond: 5 });
  const nat = new Nat(KINDS.Q.nat, [EXTERNAL], new SeededRandom(1));
  const ports = Array.from({ length: 200 }, (_, index) => {
    const packet = new Packet(UDP, 1, 5000, 50, 1000 + index);
    nat.outbound(packet, index * 100);
    return packet.sourcePort;
  });
  const skipped = ports.slice(1).map((port, index) => (port - ports[index]! + 64_512) % 64_512);
  const foreign = skipped.reduce((sum, each) => sum + each - 1, 0);
  // 20 s at 5 per second: 100, with a standard deviation of 10.
  assert.ok(Math.abs(foreign - 100) < 40, String(foreign));
});

it('a NAT whose ports are all taken refuses new flows, and has room again when they died', () => {
  const nat = new Nat(
    natOptions({
      udp: { mapping: 'APDM', allocation: { law: 'random' }, lifetimeMs: 10_000 },
      nat: { portRange: [2000, 2099] },
    }),
    [EXTERNAL],
    new SeededRandom(1),
  );
  const flow = (index: number, nowMs: number): string | null =>
    nat.outbound(new Packet(UDP, 1, 5000, 50, 1000 + index), nowMs);
  const taken = Array.from({ length: 101 }, (_, index) => flow(index, 0));
  assert.deepEqual([taken.lastIndexOf(null), taken[100]], [99, 'table-full']);
  assert.equal(flow(0, 5000), null, 'flows there are go on');
  assert.equal(flow(200, 11_000), null);
});
