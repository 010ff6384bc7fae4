import { after, before, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { startRendezvous, type RendezvousServer } from '@awl/rendezvous';
import { decodeStun, encodeStun, stunStreamReader, type StunAttributes, type StunMessage } from '@awl/wire';

const HOST = '127.0.0.1';
const ALT = '127.0.0.2';
const HAS_ALT = process.platform === 'linux';

const requestOf = (attributes: StunAttributes, transactionId = Buffer.alloc(12, 9)): Buffer =>
  encodeStun({ class: 'request', transactionId, attributes });

async function ask(socket: Socket, packet: Buffer, port: number, address: string) {
  const answered = once(socket, 'message') as Promise<[Buffer, { address: string; port: number }]>;
  socket.send(packet, port, address);
  const [bytes, from] = await answered;
  const message = decodeStun(bytes);
  assert.ok(message);
  return { message, bytes, from: { address: from.address, port: from.port } };
}

async function askTcp(packet: Buffer, port: number): Promise<StunMessage> {
  const socket = connect(port, HOST);
  const answer = Promise.withResolvers<StunMessage>();
  const reader = stunStreamReader();
  socket.on('data', (chunk) =>
    reader.push(chunk as Buffer, (bytes) => answer.resolve(decodeStun(Buffer.from(bytes))!)),
  );
  socket.on('close', () => answer.reject(new Error('closed')));
  socket.write(packet);
  const message = await answer.promise;
  socket.destroy();
  return message;
}

describe('STUN with two addresses', { skip: !HAS_ALT }, () => {
  let server: RendezvousServer;
  let socket: Socket;
  before(async () => {
    server = await startRendezvous({ host: HOST, altAddress: ALT, port: 0, altPort: 0 });
    socket = createSocket('udp4').bind(0, HOST);
    await once(socket, 'listening');
  });
  after(async () => {
    socket.close();
    await server.stop({ graceful: false });
  });

  // RFC 5780 §6.1, table 1: every combination of where it is asked and what shall change.
  for (const address of [HOST, ALT])
    for (const portIndex of [0, 1])
      for (const changeAddress of [false, true])
        for (const changePort of [false, true])
          test(`asked at ${address} port ${portIndex}, change address ${changeAddress}, port ${changePort}`, async () => {
            const ports = [server.port, server.altPort] as const;
            const other = { address: address === HOST ? ALT : HOST, port: ports[1 - portIndex]! };
            const expected = {
              address: changeAddress ? other.address : address,
              port: changePort ? other.port : ports[portIndex]!,
            };
            const packet = requestOf({ changeRequest: { changeAddress, changePort } });
            const { message, bytes, from } = await ask(socket, packet, ports[portIndex]!, address);
            const us = { address: HOST, port: socket.address().port };
            assert.equal(message.class, 'response');
            assert.deepEqual(message.transactionId, Buffer.alloc(12, 9));
            assert.deepEqual(from, expected);
            assert.deepEqual(message.attributes, {
              mappedAddress: us,
              xorMappedAddress: us,
              responseOrigin: expected,
              otherAddress: other,
            });
            assert.ok(bytes.length <= 100);
          });

  test('an answer never goes elsewhere: RESPONSE-PORT and PADDING are ignored', async () => {
    const packet = requestOf({ responsePort: 9, paddingBytes: 400 });
    const { message, bytes } = await ask(socket, packet, server.port, HOST);
    assert.equal(message.class, 'response');
    assert.ok(bytes.length <= 100);
  });

  test('a client of RFC 3489 gets what it knows, and nothing else', async () => {
    const { message } = await ask(socket, requestOf({}, Buffer.alloc(16, 0x55)), server.port, HOST);
    assert.deepEqual(message.transactionId, Buffer.alloc(16, 0x55));
    assert.deepEqual(message.attributes, {
      mappedAddress: { address: HOST, port: socket.address().port },
      sourceAddress: { address: HOST, port: server.port },
      changedAddress: { address: ALT, port: server.altPort },
    });
  });

  test('FINGERPRINT is answered with FINGERPRINT', async () => {
    const packet = encodeStun({ class: 'request', transactionId: Buffer.alloc(12) }, { fingerprint: true });
    const { message, bytes } = await ask(socket, packet, server.port, HOST);
    assert.equal(message.fingerprint, true);
    assert.ok(bytes.length <= 100);
  });

  test('a required attribute that is not known: error 420 with its type', async () => {
    const attribute = Buffer.from([0x77, 0x77, 0, 0]);
    const packet = Buffer.concat([requestOf({}), attribute]);
    packet.writeUInt16BE(attribute.length, 2);
    const { message } = await ask(socket, packet, server.port, HOST);
    assert.equal(message.class, 'error');
    assert.equal(message.attributes.errorCode?.code, 420);
    assert.deepEqual(message.attributes.unknownAttributes, [0x7777]);
  });

  test('over TCP on both ports; an answer cannot come from elsewhere', async () => {
    for (const port of [server.port, server.altPort]) {
      const message = await askTcp(requestOf({}), port);
      assert.equal(message.attributes.xorMappedAddress?.address, HOST);
      assert.deepEqual(message.attributes.responseOrigin, { address: HOST, port });
      assert.equal(message.attributes.otherAddress?.address, ALT);
    }
    const refused = await askTcp(
      requestOf({ changeRequest: { changeAddress: false, changePort: true } }),
      server.port,
    );
    assert.equal(refused.attributes.errorCode?.code, 420);
  });

  test(
    'turnutils_natdiscovery (coturn) finds no NAT on loopback',
    { skip: !has('turnutils_natdiscovery') },
    async () => {
      const { stdout } = await promisify(execFile)('turnutils_natdiscovery', [
        '-m',
        '-f',
        '-p',
        String(server.port),
        HOST,
      ]);
      assert.match(stdout, /Endpoint Independent Mapping/);
      assert.match(stdout, /Endpoint Independent Filtering/);
      assert.doesNotMatch(stdout, /timeout/);
    },
  );

  test('stun-client finds no NAT on loopback', { skip: !has('/usr/bin/stun') }, async () => {
    // Its exit code is the kind of NAT; 1 is "open".
    const { stderr, stdout } = await new Promise<{ stdout: string; stderr: string }>((resolve) =>
      execFile('/usr/bin/stun', [`${HOST}:${server.port}`], (_, stdout, stderr) =>
        resolve({ stdout, stderr }),
      ),
    );
    assert.match(stdout + stderr, /Primary: Open/);
  });
});

describe('STUN with one address', () => {
  let server: RendezvousServer;
  let socket: Socket;
  before(async () => {
    server = await startRendezvous({
      host: HOST,
      port: 0,
      altPort: 0,
      limits: { stunPerSecond: 1, stunBurst: 20 },
    });
    socket = createSocket('udp4').bind(0, HOST);
    await once(socket, 'listening');
  });
  after(async () => {
    socket.close();
    await server.stop({ graceful: false });
  });

  test('no OTHER-ADDRESS; the port can change, the address cannot', async () => {
    const plain = await ask(socket, requestOf({}), server.port, HOST);
    assert.equal(plain.message.attributes.otherAddress, undefined);
    const port = await ask(
      socket,
      requestOf({ changeRequest: { changeAddress: false, changePort: true } }),
      server.port,
      HOST,
    );
    assert.equal(port.from.port, server.altPort);
    const address = await ask(
      socket,
      requestOf({ changeRequest: { changeAddress: true, changePort: false } }),
      server.port,
      HOST,
    );
    assert.equal(address.message.attributes.errorCode?.code, 420);
    assert.deepEqual(address.message.attributes.unknownAttributes, [3]);
  });

  test('a flood is answered up to the limit of its prefix, and less often where answers are larger than requests', async () => {
    const metric = async (outcome: string): Promise<number> => {
      const text = await server.metrics.metrics();
      return Number(new RegExp(`transport="udp",outcome="${outcome}"} (\\d+)`).exec(text)?.[1] ?? 0);
    };
    const answered = await metric('answered');
    for (let count = 0; count < 60; count++) socket.send(requestOf({}), server.port, HOST);
    while ((await metric('answered')) + (await metric('limited')) < answered + 60)
      await new Promise(setImmediate);
    // 20 bytes asked, 56 answered: the burst of 20 pays for 7 answers, less what was asked before.
    assert.ok((await metric('answered')) - answered <= 8);
    assert.ok((await metric('limited')) >= 50);
  });
});

describe('hostile bytes', () => {
  test('garbage on every port: the server answers on', async () => {
    await using server = await startRendezvous({ host: HOST, port: 0, altPort: 0 });
    const socket = createSocket('udp4').bind(0, HOST);
    await once(socket, 'listening');
    let seed = 1;
    const garbage = (size: number): Buffer =>
      Buffer.from(
        Array.from({ length: size }, () => (seed = (Math.imul(seed, 48271) >>> 0) % 0x7fffffff) & 255),
      );
    for (const port of [server.port, server.altPort]) {
      for (let round = 0; round < 100; round++) socket.send(garbage(1 + (round % 90)), port, HOST);
      const looksLikeStun = requestOf({ username: 'x' });
      looksLikeStun[23] = 250;
      socket.send(looksLikeStun, port, HOST);
      for (const first of [0, 1, 3, 22, 71, 255]) {
        const tcp = connect(port, HOST);
        tcp.on('error', () => undefined);
        const bytes = garbage(5000);
        bytes[0] = first;
        tcp.end(bytes);
        tcp.resume();
        await once(tcp, 'close');
      }
      const half = connect(port, HOST);
      half.write(requestOf({}).subarray(0, 10));
      await once(half, 'connect');
      half.destroy();
    }
    const { message } = await ask(socket, requestOf({}), server.port, HOST);
    assert.equal(message.class, 'response');
    assert.equal((await askTcp(requestOf({}), server.altPort)).class, 'response');
    socket.close();
  });
});

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);
test('over IPv6 an answer has no more than 100 bytes', { skip: !hasIpv6 }, async () => {
  await using server = await startRendezvous({ host: '::1', port: 0, altPort: 0 });
  const socket = createSocket('udp6').bind(0, '::1');
  await once(socket, 'listening');
  const packet = encodeStun({ class: 'request', transactionId: Buffer.alloc(12) }, { fingerprint: true });
  const { message, bytes } = await ask(socket, packet, server.port, '::1');
  assert.deepEqual(message.attributes.xorMappedAddress, { address: '::1', port: socket.address().port });
  assert.ok(bytes.length <= 100);
  socket.close();
});

function has(program: string): boolean {
  return spawnSync('which', [program]).status === 0;
}
