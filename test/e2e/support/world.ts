import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { Awl, homes } from './awl.ts';

/** A rendezvous on this machine, homes for nodes, and an HTTP server to share. */
export interface World extends AsyncDisposable {
  readonly url: string;
  readonly rendezvous: Awl;
  readonly http: number;
  readonly directory: string;
  home(name: string): string;
  start(name: string, ...args: string[]): Awl;
}

export async function startWorld(): Promise<World> {
  await using scope = new AsyncDisposableStack();
  const places = scope.use(await homes());
  const http = await listen(createServer((request, response) => response.end(`hello ${request.url}`)));
  scope.defer(() => http.server.closeAllConnections());
  scope.defer(() => void http.server.close());
  const rendezvous = scope.use(
    new Awl(['rendezvous', '--host', '127.0.0.1', '--port', '0', '--alt-port', '0', '--json'], {
      home: places.path('rendezvous'),
    }),
  );
  const ready = await rendezvous.event('rendezvous.ready');
  const [url = ''] = ready['urls'] as string[];
  const resources = scope.move();
  return {
    url,
    rendezvous,
    http: http.port,
    directory: places.directory,
    home: (name) => places.path(name),
    start: (name, ...args) => resources.use(new Awl(args, { home: places.path(name) })),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function listen(server: Server): Promise<{ readonly server: Server; readonly port: number }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

/** A TCP port of loopback where nobody listens. */
export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
