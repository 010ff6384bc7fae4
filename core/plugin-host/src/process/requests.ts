import type { Clock, JsonValue, LanSocket, PluginContext, Running } from '@awl/api';
import { AwlError } from '@awl/wire';
import { datagramForwarder } from './datagrams.ts';
import type { Rpc } from './rpc.ts';
import {
  checkNotification,
  checkRequest,
  isNotification,
  isRequest,
  type Notifications,
  type Requests,
} from './schemas.ts';
import { leaseInfo, type Scopes } from './scopes.ts';

const LAN_SOCKETS = 16;
/** Sent again after so long at the earliest. */
const STATE_INTERVAL_MS = 1000;

/** Without keys that are undefined, which the API's optional fields are not. */
type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };
const defined = <T extends object>(value: T): Defined<T> => value as Defined<T>;

/** Waits for running work; an abort, also one that came before, stops it. */
async function untilDone(running: Running, signal: AbortSignal): Promise<number> {
  const stop = (): void => running[Symbol.dispose]();
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return await running.done;
}

type Handlers = {
  [Name in keyof Requests]: (params: Requests[Name], signal: AbortSignal) => Promise<unknown>;
};
type Listeners = { [Name in keyof Notifications]: (params: Notifications[Name]) => void };

export interface RequestParts {
  readonly context: PluginContext;
  readonly scopes: Scopes;
  readonly clock: Clock;
  readonly rpc: () => Rpc;
  readonly registered: (names: Notifications['registered']) => void;
}

/** What a plugin process may do on this side: each request is checked, then done with the plugin's own context. */
export class PluginRequests implements Disposable {
  readonly #parts: RequestParts;
  readonly #handlers: Handlers;
  readonly #listeners: Listeners;
  readonly #lanSockets = new Map<number, LanSocket>();
  #nextLanSocket = 1;
  #stateTimer: Disposable | undefined;

  constructor(parts: RequestParts) {
    this.#parts = parts;
    const { context, scopes, clock } = parts;
    this.#handlers = {
      'sockets.open': async ({ scope, protocol, ...options }) =>
        (await scopes.openSockets(scope, protocol, defined(options))).map(leaseInfo),
      'lease.reflexive': ({ lease }, signal) => scopes.lease(lease).reflexive(signal),
      'lease.mapped': async ({ lease }, signal) => (await scopes.lease(lease).mapped(signal)) ?? null,
      'lease.schedule': async ({ lease, packets }, signal) => {
        const decoded = packets.map(({ payload, ...packet }) => ({
          ...defined(packet),
          ...(payload === undefined ? {} : { payload: Buffer.from(payload, 'base64') }),
        }));
        return untilDone(scopes.udp(lease).schedule(decoded), signal);
      },
      'lease.sweep': async ({ lease, sweep }, signal) => {
        return untilDone(scopes.udp(lease).sweep(sweep), signal);
      },
      'lease.dial': ({ lease, to, ...options }) => scopes.tcp(lease).dial(to, defined(options)),
      'lease.listen': ({ lease }) => scopes.tcp(lease).listen(),
      'attempt.nextCheck': async ({ scope, timeoutMs }) => {
        const check = await scopes.nextCheck(scope, timeoutMs);
        return check ? { lease: check.lease.id, remote: check.remote, rttMs: check.rttMs } : null;
      },
      'attempt.exchange': async ({ scope, message }) => scopes.attempt(scope).exchange(message as JsonValue),
      'attempt.nextMessage': async ({ scope, timeoutMs }) => {
        const message = await scopes.attempt(scope).nextMessage(timeoutMs);
        return message === undefined ? {} : { message };
      },
      'storage.get': async ({ key }) => {
        const value = await context.storage.get(key);
        return value === undefined ? {} : { value };
      },
      'storage.set': ({ key, value }) => context.storage.set(key, value as JsonValue),
      'storage.delete': ({ key }) => context.storage.delete(key),
      'host.gateways': async () => ({
        gateways: await context.host.gateways(),
        interfaces: context.host.interfaces(),
      }),
      'host.lanHttp': (request, signal) => context.host.lanHttp({ ...defined(request), signal }),
      'lan.open': async (options) => {
        if (this.#lanSockets.size >= LAN_SOCKETS) {
          throw new AwlError('ERR_BUDGET_SOCKETS', `a plugin may hold ${LAN_SOCKETS} LAN sockets`);
        }
        const socket = await context.host.lanUdp(defined(options));
        const id = this.#nextLanSocket++;
        this.#lanSockets.set(id, socket);
        socket.onDatagram = datagramForwarder(parts.rpc(), clock, 'lan.datagram', { socket: id });
        return { socket: id, local: socket.local };
      },
    };
    this.#listeners = {
      log: ({ level, message, data }) => context.log[level](message, data as JsonValue | undefined),
      registered: (names) => parts.registered(names),
      view: ({ id, data }) => context.views.set(id, data as Parameters<typeof context.views.set>[1]),
      status: ({ id, text }) => context.statusItems.set(id, text),
      progress: ({ scope, ...progress }) => scopes.attempt(scope).progress(defined(progress)),
      'lease.dispose': ({ lease }) => scopes.dispose(lease),
      'lease.receive': ({ lease: id, on }) => {
        scopes.udp(id).onDatagram = on
          ? datagramForwarder(parts.rpc(), clock, 'lease.datagram', { lease: id })
          : null;
      },
      'lan.send': ({ socket, payload, to }) =>
        this.#lanSockets.get(socket)?.send(Buffer.from(payload, 'base64'), to),
      'lan.close': ({ socket }) => {
        this.#lanSockets.get(socket)?.[Symbol.dispose]();
        this.#lanSockets.delete(socket);
      },
      'state.want': () => this.#sendState(),
    };
  }

  /** Rejects with `ERR_WIRE_SCHEMA` where the process asks for what there is not. */
  async request(method: string, params: unknown, signal: AbortSignal): Promise<unknown> {
    if (!isRequest(method))
      throw new AwlError('ERR_WIRE_SCHEMA', `there is no request ${method.slice(0, 50)}`);
    const handler = this.#handlers[method] as (params: unknown, signal: AbortSignal) => Promise<unknown>;
    return handler(checkRequest(method, params), signal);
  }

  /** Throws where the process tells what it may not. */
  notification(method: string, params: unknown): void {
    if (!isNotification(method))
      throw new AwlError('ERR_WIRE_SCHEMA', `there is no notification ${method.slice(0, 50)}`);
    const listener = this.#listeners[method] as (params: unknown) => void;
    listener(checkNotification(method, params));
  }

  [Symbol.dispose](): void {
    this.#stateTimer?.[Symbol.dispose]();
    for (const socket of this.#lanSockets.values()) socket[Symbol.dispose]();
    this.#lanSockets.clear();
  }

  /** Once a process has asked for the state it gets it again, at most once a second, when it has asked again. */
  #sendState(): void {
    if (this.#stateTimer) return;
    this.#parts.rpc().notify('state', { state: this.#parts.context.engine.state() });
    this.#stateTimer = this.#parts.clock.schedule(STATE_INTERVAL_MS, () => (this.#stateTimer = undefined));
  }
}
