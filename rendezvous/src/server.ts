import {
  AwlError,
  formatRendezvousUrl,
  parseIp,
  RENDEZVOUS_ALT_PORT,
  RENDEZVOUS_PORT,
  type StunAddress,
} from '@awl/wire';
import type { Registry } from 'prom-client';
import { MemoryBus } from './bus.ts';
import type { ControlContext } from './connection.ts';
import { closeListeners, openListeners, portsOf, type Listeners } from './listeners.ts';
import { Metrics } from './metrics.ts';
import { NameStore } from './names.ts';
import { DEFAULT_LIMITS, systemClock, type RendezvousOptions, type ServerClock } from './options.ts';
import { LocalPresence } from './presence.ts';
import { Occupancy } from './rate-limit.ts';
import { loadServerKey } from './server-key.ts';
import { StunService } from './stun-service.ts';
import { serveStunUdp } from './stun-sockets.ts';
import { TcpFront } from './tcp-front.ts';
import { isWildcard, localAddresses, makeTopology, stunEndpoints } from './topology.ts';
import { Watchers } from './watchers.ts';

/** A running rendezvous. */
export interface RendezvousServer extends AsyncDisposable {
  /** Where control connections are taken; those that reach furthest first. */
  readonly addresses: readonly StunAddress[];
  readonly port: number;
  readonly altPort: number;
  /** The id of the server's key. */
  readonly fingerprint: string;
  /** The URL to give to peers, with the fingerprint. */
  readonly url: string;
  /** One for each address. */
  readonly urls: readonly string[];
  readonly metrics: Registry;
  /** Peers online. */
  readonly peersOnline: number;
  /** Stops. Gracefully (default): peers are told and have 2 s to go. */
  stop(options?: { readonly graceful?: boolean }): Promise<void>;
}

const GRACE_MS = 2000;
const LOOK_FOR_ADDRESSES_MS = 30_000;
/** Peers come back spread around this time. */
const RETRY_AFTER_STOP_MS = 2000;

/**
 * Starts the rendezvous server.
 * @throws AwlError `ERR_USAGE`, `ERR_PORT_BUSY`, `ERR_SOCKET_BIND`, `ERR_KEY_FILE`, `ERR_STORAGE`
 */
export async function startRendezvous(options: RendezvousOptions = {}): Promise<RendezvousServer> {
  const { advertise, altAddress, dataDir } = options;
  const clock = options.clock ?? systemClock;
  const log = options.log ?? (() => undefined);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const wantedPorts = [options.port ?? RENDEZVOUS_PORT, options.altPort ?? RENDEZVOUS_ALT_PORT] as const;
  checkOptions(options, wantedPorts);
  const host = options.host ?? '0.0.0.0';
  const found = localAddresses(host, altAddress);

  await using stack = new AsyncDisposableStack();
  const key = loadServerKey(dataDir);
  const names = stack.use(new NameStore(dataDir));
  const listeners = await openListeners(found, wantedPorts, isWildcard(host));
  stack.defer(() => closeListeners(listeners));

  const addresses = listeners.map(({ address }) => address);
  const ports = portsOf(listeners[0]!);
  const topology = makeTopology(addresses, ports, altAddress, advertise);
  const presence = new LocalPresence(names, limits, clock);
  const metrics = new Metrics(() => presence.online);
  const watchers = stack.use(new Watchers(clock));
  presence.onChange = (peer) => watchers.changed(peer);
  const stun = new StunService(topology, metrics, clock, limits);
  const context: ControlContext = {
    presence,
    bus: new MemoryBus(),
    watchers,
    registered: new Occupancy(limits.peersPerAddress, Infinity),
    limits,
    clock,
    metrics,
    log,
    key: options.key,
    stunFor: (localAddress) => {
      const endpoints = stunEndpoints(topology, localAddress, advertise);
      return { udp: endpoints, tcp: endpoints };
    },
  };
  const front = new TcpFront(key, context, stun);
  const serve = ({ udp, tcp }: Listeners, address: number): void => {
    for (const port of [0, 1] as const) {
      serveStunUdp(udp[port], { address, port }, stun, (via) => listeners[via.address]!.udp[via.port], log);
      front.listen(tcp[port], { address, port });
    }
  };
  listeners.forEach(serve);
  if (isWildcard(host))
    stack.use(
      watchAddresses(clock, async (isStopped) => {
        const news = localAddresses(host, altAddress).filter((address) => !addresses.includes(address));
        const opened = news.length > 0 ? await openListeners(news, ports, true).catch(() => []) : [];
        if (isStopped()) return closeListeners(opened);
        for (const added of opened) {
          addresses.push(added.address);
          serve(added, listeners.push(added) - 1);
          log({ level: 'info', event: 'address.added', address: added.address });
        }
      }),
    );

  const hosts = advertise ? [advertise.host] : addresses;
  const urls = (): string[] =>
    hosts.map((host) =>
      formatRendezvousUrl({ host, port: advertise?.port ?? ports[0], fingerprint: key.fingerprint }),
    );
  log({ level: 'info', event: 'rendezvous.ready', urls: urls() });

  const resources = stack.move();
  let stopped: Promise<void> | undefined;
  const stop = async (graceful: boolean): Promise<void> => {
    for (const { tcp } of listeners) for (const server of tcp) server.close();
    await front.stop(RETRY_AFTER_STOP_MS, graceful ? GRACE_MS : 0);
    await resources.disposeAsync();
    log({ level: 'info', event: 'rendezvous.stopped' });
  };
  return {
    get addresses() {
      return addresses.map((address) => ({ address, port: ports[0] }));
    },
    port: ports[0],
    altPort: ports[1],
    fingerprint: key.fingerprint,
    url: urls()[0]!,
    get urls() {
      return urls();
    },
    metrics: metrics.registry,
    get peersOnline() {
      return presence.online;
    },
    stop: ({ graceful = true } = {}) => (stopped ??= stop(graceful)),
    [Symbol.asyncDispose]: () => (stopped ??= stop(false)),
  };
}

/** A machine may get its addresses after the server has started, or others later. */
function watchAddresses(clock: ServerClock, look: (isStopped: () => boolean) => Promise<void>): Disposable {
  let isStopped = false;
  let timer: Disposable | undefined;
  const wait = (): void => {
    if (isStopped) return;
    timer = clock.schedule(LOOK_FOR_ADDRESSES_MS, () => void look(() => isStopped).finally(wait));
  };
  wait();
  return {
    [Symbol.dispose]() {
      isStopped = true;
      timer?.[Symbol.dispose]();
    },
  };
}

function checkOptions({ key, advertise }: RendezvousOptions, ports: readonly [number, number]): void {
  const advertised = [advertise?.port, advertise?.altPort].filter((port) => port !== undefined);
  for (const port of [...ports, ...advertised])
    if (!Number.isInteger(port) || port < 0 || port > 65535)
      throw new AwlError('ERR_USAGE', `${port} is not a port.`);
  if (ports[0] !== 0 && ports[0] === ports[1])
    throw new AwlError('ERR_USAGE', 'The alternate port must be another port.');
  if (key === '') throw new AwlError('ERR_USAGE', 'The access key is empty.');
  if (advertise && !parseIp(advertise.host) && !/^[A-Za-z0-9_.-]{1,253}$/.test(advertise.host))
    throw new AwlError('ERR_USAGE', 'The advertised host is no name and no address.');
}
