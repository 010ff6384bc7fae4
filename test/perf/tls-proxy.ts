/**
 * One half of the least that forwards TCP over TLS in Node: what awl's TCP path is compared with.
 *
 *     node test/perf/tls-proxy.ts near|far LISTEN_PORT TARGET_PORT CERTIFICATE_FOLDER
 */
import { readFileSync } from 'node:fs';
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { join as joinPath } from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';

const [side, listenPort, targetPort, folder = '.'] = process.argv.slice(2);
const target = { host: '127.0.0.1', port: Number(targetPort) };

if (side === 'near') {
  const server = createTcpServer({ noDelay: true }, (socket) => {
    join(socket, connectTls({ ...target, rejectUnauthorized: false }));
  });
  server.listen(Number(listenPort), '127.0.0.1');
} else {
  const key = readFileSync(joinPath(folder, 'key.pem'));
  const cert = readFileSync(joinPath(folder, 'cert.pem'));
  const ciphers = 'TLS_AES_128_GCM_SHA256';
  const server = createTlsServer({ key, cert, ciphers, noDelay: true }, (socket) => {
    join(socket, connectTcp({ ...target, noDelay: true }));
  });
  server.on('tlsClientError', () => {});
  server.listen(Number(listenPort), '127.0.0.1');
}

function join(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one);
  one.on('error', () => other.destroy());
  other.on('error', () => one.destroy());
  one.on('close', () => other.destroy());
  other.on('close', () => one.destroy());
}
