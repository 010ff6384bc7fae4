import type { TLSSocket } from 'node:tls';
import {
  ACCESS_EXPORTER_BYTES,
  RENDEZVOUS_ALPN,
  RENDEZVOUS_EXPORTER,
  verifyAccessProof,
  type ErrorCode,
  type HelloMessage,
} from '@awl/wire';
import type { Refusal } from './ports.ts';

/** Ends the connection with a message. */
export class Fatal extends Error {
  readonly refusal: Refusal;
  constructor(code: ErrorCode, reason: string, retryAfterMs?: number) {
    super(reason);
    this.refusal = { code, reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
}

/** The key of the client certificate. It must be shown: a resumed session has none (RFC 8446 §2.2), so there is no resumption. */
export function clientKey(socket: TLSSocket): Buffer {
  const key = socket.getPeerX509Certificate()?.publicKey;
  if (
    socket.getProtocol() !== 'TLSv1.3' ||
    socket.alpnProtocol !== RENDEZVOUS_ALPN ||
    socket.isSessionReused()
  )
    throw new Fatal(
      'ERR_WIRE_VERSION',
      `A control connection is TLS 1.3 with ALPN ${RENDEZVOUS_ALPN}, without resumption.`,
    );
  if (key?.asymmetricKeyType !== 'ed25519')
    throw new Fatal('ERR_TLS_PEER', 'A control connection needs a client certificate with an Ed25519 key.');
  return key.export({ type: 'spki', format: 'der' });
}

/** Throws unless the peer proves that it has the access key, if one is wanted. */
export function checkAccess(socket: TLSSocket, hello: HelloMessage, key: string | undefined): void {
  if (key === undefined) return;
  const exporter = socket.exportKeyingMaterial(ACCESS_EXPORTER_BYTES, RENDEZVOUS_EXPORTER, Buffer.alloc(0));
  if (hello.access === undefined)
    throw new Fatal('ERR_RENDEZVOUS_ACCESS', 'This rendezvous wants an access key.');
  if (!verifyAccessProof(key, exporter, hello.access))
    throw new Fatal('ERR_RENDEZVOUS_ACCESS', 'The access key is not that of this rendezvous.');
}
