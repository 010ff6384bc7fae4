import { constants } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { AwlError, peerIdOf } from '@awl/wire';
import type { Role } from '@awl/api';
import type { Identity } from '../security/identity.ts';

const PROTOCOL = 'TLSv1.3';
/** Names what is spoken inside (RFC 7301). */
export const ALPN = 'awl-peer/1';

export interface SecureOptions {
  /** The controlling side is the TLS client. */
  readonly role: Role;
  readonly identity: Pick<Identity, 'keyPem' | 'certificatePem'>;
  /** Whom we expect. */
  readonly peerId: string;
}

/** What both sides must be made with: nothing older, nothing resumed, no other kind of key. */
function parameters(identity: SecureOptions['identity']) {
  return {
    key: identity.keyPem,
    cert: identity.certificatePem,
    minVersion: PROTOCOL,
    maxVersion: PROTOCOL,
    ALPNProtocols: [ALPN],
    // The fastest with AES in hardware, and as strong as the keys of a connection need to be.
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
    sigalgs: 'ed25519',
    secureOptions: constants.SSL_OP_NO_TICKET,
    // Certificates are self-signed: who the peer is, is decided by its key, in `fault`.
    rejectUnauthorized: false,
  } as const;
}

/** What is wrong with a TLS connection that is otherwise complete. */
function fault(tls: TLSSocket, peerId: string): string | undefined {
  if (tls.getProtocol() !== PROTOCOL) return `the peer speaks ${tls.getProtocol()}`;
  if (tls.alpnProtocol !== ALPN) return 'the peer did not agree on the protocol inside TLS';
  // A resumed session would show the peer without its key.
  if (tls.isSessionReused()) return 'the peer resumed an earlier TLS session';
  const certificate = tls.getPeerX509Certificate();
  if (!certificate) return 'the peer showed no certificate';
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return peerIdOf(spki) === peerId ? undefined : 'the peer has another key than expected';
}

/**
 * TLS 1.3 over a duplex, with both sides' identities proved. Rejects with `ERR_TLS_PEER`, or with the signal's reason; then the duplex is
 * destroyed.
 */
export function secure(duplex: Duplex, options: SecureOptions, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    let tls: TLSSocket | undefined;
    const settle = (outcome: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      duplex.off('close', onClose);
      duplex.off('error', onError);
      tls?.off('close', onClose);
      tls?.off('error', onError);
      outcome();
    };
    const fail = (error: unknown): void =>
      settle(() => {
        tls?.destroy();
        duplex.destroy();
        reject(error);
      });
    const refuse = (why: string, cause?: unknown): void =>
      fail(new AwlError('ERR_TLS_PEER', `The path was not secured: ${why}.`, { cause }));
    const onAbort = (): void => fail(signal.reason);
    const onClose = (): void => refuse('it was closed during the handshake');
    const onError = (error: Error): void => refuse(error.message, error);
    const onSecure = (socket: TLSSocket): void => {
      tls = socket;
      const why = fault(socket, options.peerId);
      if (why === undefined) settle(() => resolve(socket));
      else refuse(why);
    };

    if (signal.aborted) return onAbort();
    if (duplex.destroyed) return onClose();
    signal.addEventListener('abort', onAbort, { once: true });
    // Errors after this belong to nobody, and must not end the process.
    duplex.on('error', () => {});
    duplex.on('close', onClose);
    duplex.on('error', onError);
    if (options.role === 'controlling') {
      const socket = connect({ ...parameters(options.identity), socket: duplex }, () => onSecure(socket));
      tls = socket;
      tls.on('error', () => {});
      tls.on('error', onError);
      tls.on('close', onClose);
      return;
    }
    // A server's own socket reports a bad record; `new TLSSocket(duplex, {isServer: true})` would hang.
    const server = createServer({ ...parameters(options.identity), requestCert: true });
    server.on('tlsClientError', (error, socket) => {
      tls = socket;
      onError(error);
    });
    server.on('secureConnection', (socket) => {
      socket.on('error', () => {});
      onSecure(socket);
    });
    server.emit('connection', duplex);
  });
}
