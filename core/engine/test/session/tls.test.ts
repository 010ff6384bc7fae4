import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  connect as connectTcp,
  createServer as createTcpServer,
  type AddressInfo,
  type Socket,
} from 'node:net';
import { duplexPair, type Duplex } from 'node:stream';
import { suite, test } from 'node:test';
import { connect, createServer, type ConnectionOptions, type TLSSocket, type TlsOptions } from 'node:tls';
import type { Role } from '@awl/api';
import { ALPN, secure } from '../../src/session/tls.ts';
import { alice, bob, mallory, noise } from './support.ts';

const never = new AbortController().signal;

/** Our side of a handshake in which the other side is made by hand. */
function ours(duplex: Duplex, role: Role): Promise<TLSSocket> {
  const me = role === 'controlling' ? alice : bob;
  const other = role === 'controlling' ? bob : alice;
  return secure(duplex, { role, identity: me, peerId: other.peerId }, never);
}

const good = { minVersion: 'TLSv1.3', ALPNProtocols: [ALPN], rejectUnauthorized: false } as const;

function client(duplex: Duplex, options: ConnectionOptions): TLSSocket {
  const socket = connect({
    ...good,
    key: alice.keyPem,
    cert: alice.certificatePem,
    ...options,
    socket: duplex,
  });
  socket.on('error', () => {});
  return socket;
}

function server(duplex: Duplex, options: TlsOptions): void {
  const listener = createServer({
    ...good,
    requestCert: true,
    key: bob.keyPem,
    cert: bob.certificatePem,
    ...options,
  });
  listener.on('tlsClientError', () => {});
  listener.on('secureConnection', (socket) => socket.on('error', () => {}));
  listener.emit('connection', duplex);
}

async function refused(attempt: Promise<TLSSocket>, why: RegExp, ...duplexes: Duplex[]): Promise<void> {
  await assert.rejects(attempt, (error: Error & { code?: string }) => {
    assert.equal(error.code, 'ERR_TLS_PEER');
    assert.match(error.message, why);
    return true;
  });
  for (const duplex of duplexes) assert.ok(duplex.destroyed);
}

suite('TLS between peers', { timeout: 20_000 }, () => {
  test('both sides see the key they expect, and export the same secrets', async () => {
    const [a, b] = duplexPair();
    const [controlling, controlled] = await Promise.all([ours(a, 'controlling'), ours(b, 'controlled')]);
    const secrets = [controlling, controlled].map((side) =>
      side.exportKeyingMaterial(32, 'EXPORTER-awl-test', Buffer.from('x')).toString('hex'),
    );
    assert.equal(secrets[0], secrets[1]);
    assert.equal(controlling.getProtocol(), 'TLSv1.3');
    for (const end of [controlling, controlled]) end.destroy();
  });

  const badClients: readonly [string, ConnectionOptions, RegExp][] = [
    ['without a certificate', { key: undefined, cert: undefined }, /no certificate/],
    ['with another key', { key: mallory.keyPem, cert: mallory.certificatePem }, /another key/],
    ['without ALPN', { ALPNProtocols: undefined }, /did not agree on the protocol/],
    ['with another ALPN', { ALPNProtocols: ['h2'] }, /./],
    ['that speaks TLS 1.2', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, /./],
  ];
  for (const [what, options, why] of badClients) {
    test(`a client ${what} is refused`, async () => {
      const [a, b] = duplexPair();
      client(a, options);
      await refused(ours(b, 'controlled'), why, b);
    });
  }

  const badServers: readonly [string, TlsOptions, RegExp][] = [
    ['with another key', { key: mallory.keyPem, cert: mallory.certificatePem }, /another key/],
    ['without ALPN', { ALPNProtocols: undefined }, /did not agree on the protocol/],
    ['that speaks TLS 1.2', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }, /./],
  ];
  for (const [what, options, why] of badServers) {
    test(`a server ${what} is refused`, async () => {
      const [a, b] = duplexPair();
      server(b, options);
      await refused(ours(a, 'controlling'), why, a);
    });
  }

  test('no ticket is given, and one from elsewhere resumes nothing', async () => {
    const tickets: Buffer[] = [];
    const run = async (session?: Buffer): Promise<TLSSocket> => {
      const [a, b] = duplexPair();
      const socket = client(a, { ...(session && { session }) });
      socket.on('session', (ticket) => tickets.push(ticket));
      const mine = await ours(b, 'controlled');
      mine.write('x');
      await once(socket, 'data');
      mine.destroy();
      return socket;
    };
    const first = await run();
    // With no ticket given, what the client can still offer is the session object of the handshake itself.
    const offered = tickets[0] ?? first.getSession();
    assert.ok(offered);
    const second = await run(offered);
    assert.equal(second.isSessionReused(), false);
    first.destroy();
    second.destroy();
  });

  test('a resumed session is refused even where tickets work', async () => {
    // A server that gives tickets, as a hostile peer might: our side must not take a resumption for a proof.
    const listener = createServer({ ...good, key: bob.keyPem, cert: bob.certificatePem, requestCert: true });
    listener.on('secureConnection', (socket) => socket.on('error', () => {}).write('x'));
    const [a, b] = duplexPair();
    listener.emit('connection', b);
    const mine = await ours(a, 'controlling');
    const offers: Buffer[] = [];
    mine.on('session', (ticket) => offers.push(ticket));
    await once(mine, 'data');
    mine.destroy();
    const [a2, b2] = duplexPair();
    listener.emit('connection', b2);
    const again = await ours(a2, 'controlling');
    assert.equal(again.isSessionReused(), false);
    again.destroy();
  });

  for (const role of ['controlling', 'controlled'] as const) {
    test(`junk instead of a handshake does not hang the ${role} side`, async () => {
      const [a, b] = duplexPair();
      a.on('error', () => {});
      const attempt = ours(b, role);
      a.write(Buffer.concat([Buffer.from('160303ffff', 'hex'), noise(70_000)]));
      await refused(attempt, /./, b);
    });

    test(`a bad record after the handshake is an error on the ${role} side, on a socket and on a duplex`, async () => {
      const listening = createTcpServer().listen(0, '127.0.0.1');
      await once(listening, 'listening');
      const accepted = once(listening, 'connection') as Promise<[Socket]>;
      const dialled = connectTcp((listening.address() as AddressInfo).port, '127.0.0.1');
      const [incoming] = await accepted;
      for (const [mineEnd, otherEnd] of [[dialled, incoming], duplexPair()] as [Duplex, Duplex][]) {
        otherEnd.on('error', () => {});
        const otherRole = role === 'controlling' ? 'controlled' : 'controlling';
        const [mine, other] = await Promise.all([ours(mineEnd, role), ours(otherEnd, otherRole)]);
        other.on('error', () => {});
        const failed = once(mine, 'error') as Promise<[Error & { code?: string }]>;
        mine.resume();
        // Straight into the transport, below the other side's TLS.
        otherEnd.write(Buffer.concat([Buffer.from('1703030100', 'hex'), noise(256)]));
        assert.match((await failed)[0].code ?? '', /^ERR_SSL/);
        for (const end of [mine, other, mineEnd, otherEnd]) end.destroy();
      }
      listening.close();
    });
  }

  test('an abort and a closed transport end the wait', async () => {
    const stop = new AbortController();
    const [a] = duplexPair();
    const attempt = secure(a, { role: 'controlling', identity: alice, peerId: bob.peerId }, stop.signal);
    stop.abort(new Error('stopped'));
    await assert.rejects(attempt, /stopped/);
    assert.ok(a.destroyed);
    const [c] = duplexPair();
    const second = ours(c, 'controlled');
    c.destroy();
    await refused(second, /closed/);
  });
});
