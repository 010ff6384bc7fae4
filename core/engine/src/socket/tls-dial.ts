import { connect, type TLSSocket } from 'node:tls';
import { isIP } from 'node:net';
import { AwlError } from '@awl/wire';

const PROTOCOL = 'TLSv1.3';

export interface TlsDialOptions {
  /** A host name or an IP address. */
  readonly host: string;
  readonly port: number;
  /** The one protocol to speak inside (RFC 7301). */
  readonly alpn: string;
  /** Our own key and certificate, PEM: a missing one passes silently, so both are wanted. */
  readonly keyPem: string;
  readonly certificatePem: string;
  /** Ends the dial. */
  readonly signal: AbortSignal;
}

/** A TLS connection to a server whose key is shown but not yet judged. */
export interface TlsConnection {
  readonly stream: TLSSocket;
  /** DER SubjectPublicKeyInfo of the server's Ed25519 key. The caller decides whether it is the right one. */
  readonly spki: Buffer;
  /** The address that was reached. */
  readonly remoteAddress: string;
  /** RFC 8446 §7.5; the same at both ends and at no other connection. */
  exporter(label: string, lengthBytes: number): Buffer;
}

/**
 * Connects with TLS 1.3 and nothing older, by either IP version, without resumption: a resumed session would not show the server's key.
 * Rejects with `ERR_RENDEZVOUS_UNREACHABLE`, `ERR_TLS_PEER`, or with the signal's reason.
 */
export function dialTls(options: TlsDialOptions): Promise<TlsConnection> {
  const { host, port, alpn, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stream = connect({
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      key: options.keyPem,
      cert: options.certificatePem,
      minVersion: PROTOCOL,
      maxVersion: PROTOCOL,
      ALPNProtocols: [alpn],
      // The certificate is self-signed: the server is known by its key.
      rejectUnauthorized: false,
    });
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort);
      stream.off('error', onError);
      stream.off('close', onClose);
    };
    const fail = (error: unknown): void => {
      settle();
      stream.on('error', () => undefined);
      stream.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    const onError = (error: NodeJS.ErrnoException): void => {
      // An alert comes from something that speaks TLS, but not with us.
      const code = error.code?.startsWith('ERR_SSL') ? 'ERR_TLS_PEER' : 'ERR_RENDEZVOUS_UNREACHABLE';
      fail(
        new AwlError(code, `${host} port ${port}: ${error.message || (error.code ?? 'no connection')}`, {
          cause: error,
        }),
      );
    };
    const onClose = (): void =>
      fail(new AwlError('ERR_RENDEZVOUS_UNREACHABLE', `${host} port ${port} closed the connection at once`));
    signal.addEventListener('abort', onAbort, { once: true });
    stream.on('error', onError);
    stream.on('close', onClose);
    stream.once('secureConnect', () => {
      const key = stream.getPeerX509Certificate()?.publicKey;
      const fault =
        faultOf(stream, alpn) ??
        (key?.asymmetricKeyType === 'ed25519' ? undefined : 'it shows no Ed25519 key');
      if (fault !== undefined || !key) {
        fail(new AwlError('ERR_TLS_PEER', `${host} port ${port} is not what was expected: ${fault}`));
        return;
      }
      settle();
      resolve({
        stream,
        spki: key.export({ type: 'spki', format: 'der' }),
        remoteAddress: stream.remoteAddress ?? host,
        exporter: (label, lengthBytes) => stream.exportKeyingMaterial(lengthBytes, label, Buffer.alloc(0)),
      });
    });
  });
}

function faultOf(stream: TLSSocket, alpn: string): string | undefined {
  if (stream.getProtocol() !== PROTOCOL) return `it speaks ${stream.getProtocol()}`;
  // A server without ALPN passes by default.
  if (stream.alpnProtocol !== alpn) return 'it does not speak our protocol inside TLS';
  return stream.isSessionReused() ? 'it resumed a session' : undefined;
}
