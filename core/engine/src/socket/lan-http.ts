import { request as httpRequest, type IncomingMessage } from 'node:http';
import { familyOf, type Host, type LanHttpRequest } from '@awl/api';
import { AwlError } from '@awl/wire';
import { gatewayAt, sourceFor, withZone } from './lan-address.ts';
import type { Network, TcpStream } from './network.ts';

const MAX_BYTES_DEFAULT = 65_536;
/** Whatever a plugin asks for: a router has nothing to say that is longer. */
const MAX_BYTES_LIMIT = 1_048_576;
const BODY_LIMIT_BYTES = 65_536;
const HEADER_LIMIT_BYTES = 16_384;
const URL_LIMIT = 2048;
/** Of the whole exchange, so that a router which sends a byte a second holds nobody up. */
const TOTAL_MS = 8000;
const CONNECT_MS = 3000;

/** Headers that are the transport's own. */
const OWN_HEADERS = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

type LanHttpResponse = Awaited<ReturnType<Host['lanHttp']>>;

/**
 * One HTTP exchange with a gateway of this host. No redirect is followed. Rejects with `ERR_LAN_HTTP_DENIED` for any other address and
 * `ERR_LAN_HTTP_SIZE` for a longer answer.
 */
export async function lanHttp(network: Network, request: LanHttpRequest): Promise<LanHttpResponse> {
  const url = checkedUrl(request.url);
  const address = url.hostname.replace(/^\[|\]$/g, '');
  const gateway = await gatewayAt(network, address);
  if (!gateway) throw denied(`${address} is not a gateway of this host`);
  if (Buffer.byteLength(request.body ?? '') > BODY_LIMIT_BYTES)
    throw denied(`a request has at most ${BODY_LIMIT_BYTES} bytes`);
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(TOTAL_MS)]);
  signal.throwIfAborted();
  const source = sourceFor(network, gateway);
  using port = await network.reserveTcp({
    family: familyOf({ address }),
    ...(source && { address: source.address }),
  });
  const to = { address: withZone(address, gateway.interfaceName), port: Number(url.port || 80) };
  try {
    const connection = await port.dial(to, { timeoutMs: CONNECT_MS, signal });
    return await exchange(connection, url, request, signal);
  } catch (error) {
    signal.throwIfAborted(); // its reason says more than what broke because of it
    throw error;
  }
}

function checkedUrl(text: string): URL {
  const url = text.length <= URL_LIMIT ? URL.parse(text) : null;
  if (!url) throw denied('the address is not a URL');
  if (url.protocol !== 'http:') throw denied(`only http is spoken with a gateway, not ${url.protocol}`);
  if (url.username || url.password) throw denied('a URL with a user name is not allowed');
  return url;
}

function exchange(
  { stream }: TcpStream,
  url: URL,
  request: LanHttpRequest,
  signal: AbortSignal,
): Promise<LanHttpResponse> {
  const maxBytes = Math.min(request.maxBytes ?? MAX_BYTES_DEFAULT, MAX_BYTES_LIMIT);
  const body = Buffer.from(request.body ?? '');
  const headers = Object.entries(request.headers ?? {}).filter(
    ([name]) => !OWN_HEADERS.has(name.toLowerCase()),
  );
  return new Promise((resolve, reject) => {
    const sent = httpRequest({
      createConnection: () => stream,
      host: url.hostname,
      path: url.pathname + url.search,
      method: request.method,
      headers: {
        ...Object.fromEntries(headers),
        host: url.host,
        connection: 'close',
        ...(body.length > 0 && { 'content-length': String(body.length) }),
      },
      maxHeaderSize: HEADER_LIMIT_BYTES,
      signal,
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      readBody(response, maxBytes).then(
        (text) => resolve({ status: response.statusCode ?? 0, headers: plainHeaders(response), body: text }),
        reject,
      );
    });
    sent.end(body);
  });
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes)
      throw new AwlError('ERR_LAN_HTTP_SIZE', `the router answered with more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function plainHeaders({ headers }: IncomingMessage): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}

function denied(detail: string): AwlError {
  return new AwlError('ERR_LAN_HTTP_DENIED', detail);
}
