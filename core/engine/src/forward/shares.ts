import type { JsonValue, ShareState } from '@awl/api';
import { familyOf } from '@awl/api';
import { AwlError, toAwlError } from '@awl/wire';
import type { EngineCore } from '../core.ts';
import type { Grant } from '../security/authorization.ts';
import type { SessionStream } from '../session/stream.ts';
import { connectService } from '../socket/local-service.ts';
import {
  decodeStreamHeader,
  formatHostPort,
  parseTarget,
  type HostPort,
  type StreamHeader,
  type TicketHeader,
} from './header.ts';
import { join } from './join.ts';
import type { UdpFlows } from './udp-flow.ts';

/** Shares of one node. */
const SHARES_MAX = 256;
/** Tickets shown in one session. */
const GRANTS_MAX = 64;

interface Share {
  readonly id: string;
  readonly target: HostPort;
  readonly protocol: 'tcp' | 'udp';
  tickets: ShareState['tickets'];
  connections: number;
  sentBytes: number;
  receivedBytes: number;
}

/** The services that this node offers, and who may use them. */
export class Shares {
  readonly #core: EngineCore;
  readonly #shares = new Map<string, Share>();
  readonly #dirty = new Set<Share>();
  #publishTimer: Disposable | undefined;

  constructor(core: EngineCore) {
    this.#core = core;
  }

  /** Offers a service; the same target again is the same share. Throws `ERR_USAGE`. */
  add(targetText: string, protocol: 'tcp' | 'udp'): string {
    const target = parseTarget(targetText);
    const known = [...this.#shares.values()].find(
      (share) => share.protocol === protocol && formatHostPort(share.target) === formatHostPort(target),
    );
    if (known) return known.id;
    if (this.#shares.size >= SHARES_MAX)
      throw new AwlError('ERR_USAGE', `There are ${SHARES_MAX} shares already.`);
    // The id outlives a restart: tickets name it.
    const id = `${formatHostPort(target)}/${protocol}`.slice(0, 64).replaceAll(/[^A-Za-z0-9._:@/-]/g, '-');
    const share: Share = {
      id,
      target,
      protocol,
      tickets: [],
      connections: 0,
      sentBytes: 0,
      receivedBytes: 0,
    };
    this.#shares.set(id, share);
    this.#publish(share);
    return id;
  }

  addTicket(id: string, ticket: ShareState['tickets'][number]): void {
    const share = this.#shares.get(id);
    if (!share) return;
    share.tickets = [...share.tickets, ticket].slice(-20);
    this.#publish(share);
  }

  remove(id: string): boolean {
    if (!this.#shares.delete(id)) return false;
    this.#core.state.apply({ collection: 'shares', id, value: null });
    return true;
  }

  get size(): number {
    return this.#shares.size;
  }

  /** A peer opened a stream. What it may not have is reset with a code; nothing else happens here. */
  async accept(
    stream: SessionStream,
    rawHeader: JsonValue,
    peer: {
      /** What lets the peer in; a ticket that it shows is added. */
      readonly grants: Grant[];
      readonly session: string;
      readonly id: string;
      readonly flows: UdpFlows;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    try {
      const header = decodeStreamHeader(rawHeader);
      if (header.protocol === 'ticket') return await this.#acceptTicket(header, stream, peer);
      const share = this.#find(header);
      if (!share || !peer.grants.some((grant) => this.#core.authorization.allows(grant, share.id)))
        throw new AwlError('ERR_FORWARD_DENIED');
      const denial = await this.#core.hooks.bail('forward.accept', {
        peer: peer.id,
        target: formatHostPort(share.target),
        protocol: header.protocol,
      });
      if (denial) throw new AwlError('ERR_FORWARD_DENIED', denial.deny);
      if (header.protocol === 'udp') await this.#acceptUdp(share, header, stream, peer.flows);
      else await this.#acceptTcp(share, stream, peer.signal);
    } catch (error) {
      const failure = toAwlError(error);
      this.#core.log.warn(`a stream of ${peer.id.slice(0, 8)} was refused: ${failure.message}`);
      stream.reset(failure.code);
    }
  }

  /** The session's peer has another ticket: what it opens is open from now on. The stream's end says so. */
  async #acceptTicket(
    { ticket, proof }: TicketHeader,
    stream: SessionStream,
    peer: { readonly grants: Grant[]; readonly session: string; readonly id: string },
  ): Promise<void> {
    const grant = await this.#core.authorization.authorize({
      peerId: peer.id,
      selfId: this.#core.identity.peerId,
      attemptId: peer.session,
      auth: { by: 'ticket', ticket, proof },
    });
    if (peer.grants.length >= GRANTS_MAX)
      throw new AwlError('ERR_FORWARD_DENIED', 'Too many tickets were shown in one session.');
    peer.grants.push(grant);
    stream.end();
    stream.resume();
  }

  async #acceptTcp(share: Share, stream: SessionStream, signal: AbortSignal): Promise<void> {
    const { host, port } = share.target;
    const service = await connectService(host, port, signal);
    if (stream.destroyed) return void service.destroy();
    this.#count(share, stream);
    join(service, stream, {
      sent: (bytes) => {
        share.sentBytes += bytes;
        this.#touch(share);
      },
      received: (bytes) => {
        share.receivedBytes += bytes;
        this.#touch(share);
      },
    });
  }

  async #acceptUdp(
    share: Share,
    header: StreamHeader,
    stream: SessionStream,
    flows: UdpFlows,
  ): Promise<void> {
    if (header.channel === undefined)
      throw new AwlError('ERR_SESSION_PROTOCOL', 'A UDP flow needs a channel.');
    const { host: address, port } = share.target;
    const socket = await this.#core.broker.network.bindUdp({ family: familyOf({ address }) });
    const flow = flows.add(header.channel, stream);
    if (!flow) {
      socket[Symbol.dispose]();
      throw new AwlError('ERR_STREAM_LIMIT', 'Too many UDP flows are open.');
    }
    this.#count(share, stream);
    stream.once('close', () => socket[Symbol.dispose]());
    socket.onMessage = (payload, from) => {
      if (from.port !== port) return;
      share.sentBytes += payload.length;
      this.#touch(share);
      flow.send(payload);
    };
    flow.onDatagram = (payload) => {
      share.receivedBytes += payload.length;
      this.#touch(share);
      socket.send(payload, { address, port });
    };
  }

  #find({ share, target, protocol }: StreamHeader): Share | undefined {
    const fitting = [...this.#shares.values()].filter((candidate) => candidate.protocol === protocol);
    if (share !== undefined) return fitting.find(({ id }) => id === share);
    if (target !== undefined)
      return fitting.find(
        (candidate) =>
          formatHostPort(candidate.target) === target || String(candidate.target.port) === target,
      );
    return fitting.length === 1 ? fitting[0] : undefined;
  }

  #count(share: Share, stream: SessionStream): void {
    share.connections += 1;
    this.#publish(share);
    stream.once('close', () => {
      share.connections -= 1;
      this.#publish(share);
    });
  }

  /** Bytes are published once a second, not per chunk. */
  #touch(share: Share): void {
    this.#dirty.add(share);
    this.#publishTimer ??= this.#core.clock.schedule(1000, () => {
      this.#publishTimer = undefined;
      for (const dirty of this.#dirty) this.#publish(dirty);
      this.#dirty.clear();
    });
  }

  #publish(share: Share): void {
    if (!this.#shares.has(share.id)) return;
    const { id, target, protocol, tickets, connections, sentBytes, receivedBytes } = share;
    this.#core.state.apply({
      collection: 'shares',
      id,
      value: { id, target: formatHostPort(target), protocol, tickets, connections, sentBytes, receivedBytes },
    });
  }

  [Symbol.dispose](): void {
    this.#publishTimer?.[Symbol.dispose]();
  }
}
