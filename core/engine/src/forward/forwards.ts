import type { Duplex } from 'node:stream';
import type { ForwardState } from '@awl/api';
import { familyOf, type Endpoint } from '@awl/api';
import { AwlError, toAwlError } from '@awl/wire';
import type { EngineCore } from '../core.ts';
import type { Session } from '../session/session.ts';
import { listenService } from '../socket/local-service.ts';
import { formatHostPort, parseListen, type StreamHeader } from './header.ts';
import { join } from './join.ts';
import { flowKey, FLOWS_MAX, type UdpFlow, type UdpFlows } from './udp-flow.ts';

/** Forwards of one node. */
const FORWARDS_MAX = 256;
/** Datagrams that wait while a session is being made. */
const UDP_WAITING_MAX = 64;

/** A session to the peer, made when needed. */
export interface ForwardLink {
  readonly peerId: string;
  session(): Promise<{ readonly session: Session; readonly flows: UdpFlows }>;
}

export interface ForwardOptions {
  readonly listen: string;
  readonly protocol: 'tcp' | 'udp';
  readonly link: ForwardLink;
  /** What is asked for at the peer. */
  readonly want: Pick<StreamHeader, 'share' | 'target'>;
}

interface Forward {
  readonly id: string;
  readonly options: ForwardOptions;
  readonly listen: string;
  listener: Disposable;
  status: ForwardState['status'];
  failure: AwlError | undefined;
  connections: number;
  sentBytes: number;
  receivedBytes: number;
}

/** Local listeners that lead to peers' shares. */
export class Forwards implements Disposable {
  readonly #core: EngineCore;
  readonly #forwards = new Map<string, Forward>();
  readonly #dirty = new Set<Forward>();
  #publishTimer: Disposable | undefined;
  #nextId = 1;

  constructor(core: EngineCore) {
    this.#core = core;
  }

  /** Rejects with `ERR_USAGE`, `ERR_PORT_BUSY` or `ERR_SOCKET_BIND` when `add` would. */
  async assertFree(listen: string, protocol: 'tcp' | 'udp'): Promise<void> {
    const { host, port } = parseListen(listen);
    if (port === 0) return;
    const { network } = this.#core.broker;
    const taken =
      protocol === 'tcp'
        ? await listenService(host, port, (stream) => stream.destroy())
        : await network.bindUdp({ family: familyOf({ address: host }), address: host, port });
    taken[Symbol.dispose]();
  }

  /** Listens. Rejects with `ERR_USAGE`, `ERR_PORT_BUSY`, `ERR_SOCKET_BIND`. */
  async add(options: ForwardOptions): Promise<{ readonly forward: string; readonly listen: string }> {
    if (this.#forwards.size >= FORWARDS_MAX)
      throw new AwlError('ERR_USAGE', `There are ${FORWARDS_MAX} forwards already.`);
    const wanted = parseListen(options.listen);
    const forward = {
      id: `forward-${this.#nextId++}`,
      options,
      status: 'listening' as ForwardState['status'],
      failure: undefined,
      connections: 0,
      sentBytes: 0,
      receivedBytes: 0,
    };
    let entry: Forward | undefined;
    const bound =
      options.protocol === 'tcp'
        ? await listenService(
            wanted.host,
            wanted.port,
            (stream) => entry && void this.#onConnection(entry, stream),
          )
        : await this.#listenUdp(wanted, (): Forward | undefined => entry);
    const listen = formatHostPort({ host: bound.local.address, port: bound.local.port });
    entry = { ...forward, listener: bound, listen };
    this.#forwards.set(entry.id, entry);
    this.#publish(entry);
    await this.#core.hooks.series('forward.willOpen', {
      forward: entry.id,
      listen,
      peer: options.link.peerId,
    });
    this.#core.events.emit('forward.listening', { forward: entry.id, address: listen });
    return { forward: entry.id, listen };
  }

  remove(id: string): boolean {
    const forward = this.#forwards.get(id);
    if (!forward) return false;
    forward.listener[Symbol.dispose]();
    this.#forwards.delete(id);
    this.#core.state.apply({ collection: 'forwards', id, value: null });
    return true;
  }

  async #onConnection(forward: Forward, near: Duplex): Promise<void> {
    this.#changeConnections(forward, 1);
    near.once('close', () => this.#changeConnections(forward, -1));
    try {
      const { session } = await forward.options.link.session();
      this.#settle(forward, undefined);
      if (near.destroyed) return;
      const far = session.openStream({ protocol: 'tcp', ...forward.options.want });
      far.once('error', (error) => this.#report(forward, toAwlError(error)));
      join(near, far, {
        sent: (bytes) => {
          forward.sentBytes += bytes;
          this.#touch(forward);
        },
        received: (bytes) => {
          forward.receivedBytes += bytes;
          this.#touch(forward);
        },
      });
    } catch (error) {
      near.destroy();
      this.#settle(forward, toAwlError(error));
    }
  }

  async #listenUdp(
    wanted: { readonly host: string; readonly port: number },
    forward: () => Forward | undefined,
  ): Promise<Disposable & { readonly local: Endpoint }> {
    const socket = await this.#core.broker.network.bindUdp({
      family: familyOf({ address: wanted.host }),
      address: wanted.host,
      port: wanted.port,
    });
    const flows = new Map<string, UdpFlow | { waiting: Uint8Array[] }>();
    socket.onMessage = (payload, from) => {
      const entry = forward();
      if (!entry) return;
      entry.sentBytes += payload.length;
      this.#touch(entry);
      const key = flowKey(from);
      const known = flows.get(key);
      if (known && 'waiting' in known) {
        if (known.waiting.length < UDP_WAITING_MAX) known.waiting.push(payload);
      } else if (known) known.send(payload);
      else if (flows.size < FLOWS_MAX) {
        const waiting = { waiting: [payload] };
        flows.set(key, waiting);
        this.#openFlow(entry, { address: from.address, port: from.port }, (datagram, to) =>
          socket.send(datagram, to),
        ).then(
          (flow) => {
            flows.set(key, flow);
            flow.onEnded(() => {
              flows.delete(key);
              this.#changeConnections(entry, -1);
            });
            for (const datagram of waiting.waiting) flow.send(datagram);
          },
          (error: unknown) => {
            flows.delete(key);
            this.#settle(entry, toAwlError(error));
          },
        );
      }
    };
    return {
      local: socket.local,
      [Symbol.dispose]: () => {
        socket[Symbol.dispose]();
        for (const flow of flows.values()) if (!('waiting' in flow)) flow[Symbol.dispose]();
      },
    };
  }

  async #openFlow(
    forward: Forward,
    from: Endpoint,
    reply: (datagram: Uint8Array, to: Endpoint) => void,
  ): Promise<UdpFlow> {
    const { session, flows } = await forward.options.link.session();
    this.#settle(forward, undefined);
    const channel = flows.nextChannel();
    const control = session.openStream({ protocol: 'udp', channel, ...forward.options.want });
    control.once('error', (error) => this.#report(forward, toAwlError(error)));
    const flow = flows.add(channel, control);
    if (!flow) {
      control.destroy();
      throw new AwlError('ERR_STREAM_LIMIT', 'Too many UDP flows are open.');
    }
    this.#changeConnections(forward, 1);
    flow.onDatagram = (datagram) => {
      forward.receivedBytes += datagram.length;
      this.#touch(forward);
      reply(datagram, from);
    };
    return flow;
  }

  /** A refusal of the other side is shown; the listener stays, since the next connection may fare better. */
  #report(forward: Forward, failure: AwlError): void {
    if (failure.code === 'ERR_STREAM_RESET') return;
    this.#core.log.warn(`forward ${forward.listen}: ${failure.message}`);
    this.#core.events.emit('forward.failed', {
      forward: forward.id,
      code: failure.code,
      reason: failure.message,
    });
    this.#settle(forward, failure);
  }

  #settle(forward: Forward, failure: AwlError | undefined): void {
    if (forward.failure === failure) return;
    forward.failure = failure;
    forward.status = failure ? 'failed' : 'listening';
    this.#publish(forward);
  }

  #changeConnections(forward: Forward, change: number): void {
    forward.connections += change;
    this.#publish(forward);
  }

  #touch(forward: Forward): void {
    this.#dirty.add(forward);
    this.#publishTimer ??= this.#core.clock.schedule(1000, () => {
      this.#publishTimer = undefined;
      for (const dirty of this.#dirty) this.#publish(dirty);
      this.#dirty.clear();
    });
  }

  #publish(forward: Forward): void {
    if (!this.#forwards.has(forward.id)) return;
    const { id, listen, status, failure, connections, sentBytes, receivedBytes, options } = forward;
    const target = options.want.target ?? options.want.share;
    this.#core.state.apply({
      collection: 'forwards',
      id,
      value: {
        id,
        peer: options.link.peerId,
        listen,
        ...(target === undefined ? {} : { target }),
        protocol: options.protocol,
        status,
        ...(failure ? { code: failure.code, reason: failure.message } : {}),
        connections,
        sentBytes,
        receivedBytes,
      },
    });
  }

  [Symbol.dispose](): void {
    this.#publishTimer?.[Symbol.dispose]();
    for (const id of this.#forwards.keys()) this.remove(id);
  }
}
