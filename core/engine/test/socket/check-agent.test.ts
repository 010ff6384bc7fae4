import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realClock, realRandom } from '@awl/engine';
import type { Endpoint, Lease, Role } from '@awl/api';
import { encodeStun } from '@awl/wire';
import { CheckAgent, type CheckedLease, type Punched } from '../../src/socket/check-agent.ts';

const A: Endpoint = { address: '192.0.2.1', port: 1000 };
const B: Endpoint = { address: '192.0.2.2', port: 2000 };
const AB = Buffer.alloc(32, 1);
const BA = Buffer.alloc(32, 2);

interface Side {
  readonly agent: CheckAgent;
  readonly lease: CheckedLease;
  readonly sent: Buffer[];
}

/** Two agents whose packets arrive at once, unless somebody takes them. */
function pair(intercept?: (bytes: Buffer, from: Endpoint) => boolean): {
  readonly a: Side;
  readonly b: Side;
} {
  const side = (role: Role, own: Endpoint, to: () => Side): Side => {
    const agent = new CheckAgent(realClock, realRandom, role);
    const sent: Buffer[] = [];
    const lease: CheckedLease = {
      lease: { id: role, local: own } as Lease,
      transmit: (bytes) => {
        const packet = Buffer.from(bytes);
        sent.push(packet);
        if (!intercept?.(packet, own)) to().agent.receive(to().lease, packet, own);
      },
    };
    return { agent, lease, sent };
  };
  const a: Side = side('controlling', A, () => b);
  const b: Side = side('controlled', B, () => a);
  a.agent.arm({ send: AB, receive: BA });
  b.agent.arm({ send: BA, receive: AB });
  return { a, b };
}

test('a check goes both ways, and the answer triggers the peer’s own', () => {
  const { a, b } = pair();
  const valid: string[] = [];
  a.agent.onValid = ({ remote }) => valid.push(`a ${remote.port}`);
  b.agent.onValid = ({ remote }) => valid.push(`b ${remote.port}`);
  a.agent.send(a.lease, B);
  assert.deepEqual(valid.sort(), ['a 2000', 'b 1000']);
});

test('nothing is sent or answered before go', () => {
  const agent = new CheckAgent(realClock, realRandom, 'controlled');
  const sent: Uint8Array[] = [];
  const lease: CheckedLease = { lease: { id: 'x' } as Lease, transmit: (bytes) => sent.push(bytes) };
  agent.send(lease, A);
  agent.receive(
    lease,
    encodeStun(
      { class: 'request', transactionId: Buffer.alloc(12), attributes: { iceControlling: 1n } },
      { integrityKey: AB },
    ),
    A,
  );
  assert.equal(sent.length, 0);
});

const FORGERIES: readonly { readonly name: string; readonly bytes: (genuine: Buffer) => Buffer }[] = [
  { name: 'our own packet, sent back by a NAT', bytes: (genuine) => genuine },
  {
    name: 'a request under another key',
    bytes: () =>
      encodeStun(
        { class: 'request', transactionId: Buffer.alloc(12), attributes: { iceControlled: 1n } },
        { integrityKey: Buffer.alloc(32, 9) },
      ),
  },
  {
    name: 'a request without integrity',
    bytes: () =>
      encodeStun({ class: 'request', transactionId: Buffer.alloc(12), attributes: { iceControlled: 1n } }),
  },
  {
    name: 'a request of our own role',
    bytes: () =>
      encodeStun(
        { class: 'request', transactionId: Buffer.alloc(12), attributes: { iceControlling: 1n } },
        { integrityKey: BA },
      ),
  },
  {
    name: 'an answer to a request that was never made',
    bytes: () =>
      encodeStun(
        { class: 'response', transactionId: Buffer.alloc(12, 7), attributes: { xorMappedAddress: A } },
        { integrityKey: AB },
      ),
  },
  { name: 'garbage', bytes: () => Buffer.from('000102030405', 'hex') },
];

for (const { name, bytes } of FORGERIES) {
  test(`refused: ${name}`, () => {
    const { a } = pair(() => true);
    let valid = 0;
    a.agent.onValid = () => (valid += 1);
    a.agent.send(a.lease, B);
    const before = a.sent.length;
    a.agent.receive(a.lease, bytes(a.sent[0]!), B);
    assert.equal(valid, 0);
    assert.equal(a.sent.length, before);
  });
}

test('the controlling side nominates until it is answered; the controlled side takes it', async () => {
  let lost = 2;
  const { a, b } = pair(
    (bytes, from) => from === A && bytes.includes(Buffer.from('00250000', 'hex')) && lost-- > 0,
  );
  const nominated = Promise.withResolvers<Punched>();
  b.agent.onNominated = nominated.resolve;
  const valid = Promise.withResolvers<Punched>();
  a.agent.onValid = ({ punched }) => valid.resolve(punched);
  a.agent.send(a.lease, B);
  await (await valid.promise).nominate(AbortSignal.timeout(5000));
  assert.deepEqual((await nominated.promise).remote, A);
  a.agent.close();
  b.agent.close();
});

test('only the controlling side nominates', () => {
  const { a, b } = pair();
  let nominated = false;
  a.agent.onNominated = () => (nominated = true);
  b.agent.send(b.lease, A, { nominate: true });
  assert.equal(nominated, false);
});
