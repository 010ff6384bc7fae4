import type { TLSSocket } from 'node:tls';
import {
  AwlError,
  encodeFrame,
  FrameReader,
  parseClientMessage,
  peerIdOf,
  RENDEZVOUS_VERSION,
  toAwlError,
  type ClientMessage,
  type HelloMessage,
  type Parsed,
  type PeerEntry,
  type ServerMessage,
  type WelcomeMessage,
} from '@awl/wire';
import { checkAccess, clientKey, Fatal } from './credentials.ts';
import type { Metrics } from './metrics.ts';
import type { LogEntry, RendezvousLimits, ServerClock } from './options.ts';
import { Outbox } from './outbox.ts';
import type { Bus, Delivery, Inbox, Presence, Registration } from './ports.ts';
import { addressKey, RateLimit, type Occupancy } from './rate-limit.ts';
import { presenceFrames, type Watcher, type Watchers } from './watchers.ts';

/** What all control connections share. */
export interface ControlContext {
  readonly presence: Presence;
  readonly bus: Bus;
  readonly watchers: Watchers;
  readonly registered: Occupancy;
  readonly limits: RendezvousLimits;
  readonly clock: ServerClock;
  readonly metrics: Metrics;
  readonly log: (entry: LogEntry) => void;
  /** Access key, if one is wanted. */
  readonly key: string | undefined;
  /** STUN endpoints for a peer that came in at a local address. */
  readonly stunFor: (localAddress: string) => WelcomeMessage['stun'];
}

/** What we can do beyond version 1's least. */
const FEATURES = ['watch'];
/** Tokens per message grow by one for each so many bytes. */
const BYTES_PER_TOKEN = 4096;
/** The whole list is a large answer. */
const WATCH_COST = 20;
/** Refused messages in a row after which a peer is not worth answering. */
const MAX_OVERRUNS = 100;

/** One control connection, from the end of the TLS handshake. Handles one message after the other; reads no further while answers wait. */
export class ControlConnection implements Inbox, Watcher {
  readonly #socket: TLSSocket;
  readonly #context: ControlContext;
  readonly #token = Symbol('registration');
  readonly #rate: RateLimit;
  readonly #outbox: Outbox;
  readonly #scope = new DisposableStack();
  #peer: Registration | undefined;
  #heardAtMs: number;
  #overruns = 0;

  constructor(socket: TLSSocket, context: ControlContext) {
    this.#socket = socket;
    this.#context = context;
    this.#rate = new RateLimit(context.limits.messagesPerSecond, context.limits.messagesBurst);
    this.#outbox = new Outbox(socket, context.clock, context.limits);
    this.#heardAtMs = context.clock.now();
    socket.on('error', (error) => this.#log('debug', 'connection.error', { reason: error.message }));
  }

  /** Serves the peer until the connection ends; never rejects. `admitted` is called when the hello was accepted. */
  async run(admitted: () => void): Promise<void> {
    const { clock, limits } = this.#context;
    const helloTimer = clock.schedule(limits.helloTimeoutMs, () => this.#socket.destroy());
    this.#scope.use(helloTimer);
    try {
      const spki = clientKey(this.#socket);
      const reader = new FrameReader();
      // The iterator must not destroy the socket: the last message has still to go out.
      for await (const chunk of this.#socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        const values: Parsed<unknown>[] = [];
        reader.push(chunk, (value) => values.push(value));
        for (const value of values) {
          if (this.#outbox.ending) return;
          const message = accept(value.ok ? parseClientMessage(value.value) : value);
          this.#heardAtMs = clock.now();
          if (this.#peer) await this.#answer(message);
          else {
            await this.#admit(message, spki);
            helloTimer[Symbol.dispose]();
            admitted();
          }
        }
      }
    } catch (error) {
      if (error instanceof Fatal) this.end({ type: 'error', ...error.refusal });
      // That the other side is gone says nothing; whatever else is a bug and must be seen.
      else if (
        error !== this.#socket.errored &&
        (error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE'
      )
        this.#log('error', 'connection.failed', { reason: toAwlError(error).message });
    } finally {
      this.#scope.dispose();
      this.#context.watchers.delete(this);
      if (this.#peer) {
        const { peerId } = this.#peer;
        await this.#context.presence.leave(peerId, this.#token).catch((error: unknown) => {
          this.#log('error', 'presence.failed', { reason: toAwlError(error).message });
        });
        this.#log('info', 'peer.offline', { peerId });
      }
      // What the peer still says after our last message is not heard, but has to be read for its end to be seen.
      if (this.#outbox.ending) this.#socket.resume();
      else this.#socket.destroy();
    }
  }

  /** Says a last message and closes. */
  end(message: ServerMessage): void {
    if (this.#outbox.ending) return;
    if (message.type === 'error') {
      this.#context.metrics.refused.inc({ code: message.code });
      this.#log('info', 'connection.refused', { code: message.code, reason: message.reason });
    }
    this.#outbox.end(message);
  }

  deliver(from: PeerEntry, sealed: string): Exclude<Delivery, 'offline'> {
    const frame = encodeFrame({ type: 'signal', from, sealed } satisfies ServerMessage);
    return this.#outbox.push(frame) ? 'delivered' : 'full';
  }

  pushPresence(frame: Buffer): boolean {
    if (this.#outbox.push(frame)) return true;
    // It has missed a change, so all that it knows is worth nothing: it shall come back and get the list anew.
    this.end({
      type: 'error',
      code: 'ERR_RENDEZVOUS_LIMIT',
      reason: 'Too much waits for this peer.',
      retryAfterMs: 1000,
    });
    return false;
  }

  replaced(): void {
    this.end({
      type: 'error',
      code: 'ERR_RENDEZVOUS_LIMIT',
      reason: 'This key has registered again from elsewhere.',
      retryAfterMs: 60_000,
    });
  }

  async #admit(message: ClientMessage, spki: Buffer): Promise<void> {
    if (message.type !== 'hello') throw new Fatal('ERR_WIRE_SCHEMA', 'The first message must be a hello.');
    checkAccess(this.#socket, message, this.#context.key);
    if (message.spki !== spki.toString('base64url'))
      throw new Fatal('ERR_TLS_PEER', 'The key in the hello is not that of the client certificate.');
    const { presence, bus, registered, limits } = this.#context;
    const { sealKey, sealSignature, name } = message;
    const observedAddress = this.#socket.remoteAddress ?? '';
    const place = registered.enter(addressKey(observedAddress));
    if (!place) throw new Fatal('ERR_RENDEZVOUS_LIMIT', 'Too many peers from this address.', 60_000);
    this.#scope.use(place);
    const peer: Registration = {
      peerId: peerIdOf(spki),
      ...(name === undefined ? {} : { name }),
      spki: message.spki,
      sealKey,
      sealSignature,
      observedAddress,
    };
    const refusal = await presence.enter(peer, this.#token);
    if (refusal) throw new Fatal(refusal.code, refusal.reason, refusal.retryAfterMs);
    this.#peer = peer;
    // It may have gone while its name was looked up.
    if (this.#socket.destroyed || this.#outbox.ending) return;
    this.#scope.use(bus.attach(peer.peerId, this));
    this.#watchSilence();
    this.#log('info', 'peer.online', { peerId: peer.peerId, name, address: observedAddress });
    await this.#outbox.send({
      type: 'welcome',
      version: RENDEZVOUS_VERSION,
      features: FEATURES,
      observed: { address: observedAddress, port: this.#socket.remotePort ?? 1 },
      stun: this.#context.stunFor(this.#socket.localAddress ?? ''),
      lifetimeMs: limits.lifetimeMs,
    });
  }

  async #answer(message: ClientMessage): Promise<void> {
    if (message.type === 'hello') throw new Fatal('ERR_WIRE_SCHEMA', 'A second hello.');
    try {
      await this.#handle(message);
    } catch (error) {
      if (!(error instanceof AwlError)) throw error;
      // A failing disk fails the request and not the connection.
      this.#log('error', 'request.failed', { code: error.code, reason: error.message });
      await this.#outbox.send({ type: 'error', id: message.id, code: error.code, reason: error.code });
    }
  }

  async #handle(message: Exclude<ClientMessage, HelloMessage>): Promise<void> {
    const waitMs = this.#rate.take('', this.#context.clock.now(), costOf(message));
    if (waitMs > 0) return this.#overrun(message.id, waitMs);
    this.#overruns = 0;
    const { id } = message;
    switch (message.type) {
      case 'ping':
        return this.#outbox.send({ type: 'pong', id });
      case 'lookup': {
        const peer = await this.#context.presence.find(message.peer);
        return this.#outbox.send({ type: 'found', id, ...(peer ? { peer } : {}) });
      }
      case 'signal':
        return this.#relay(id, message.to, message.sealed);
      case 'watch':
        this.#context.watchers.add(this);
        // All at once, so that no later change overtakes the list.
        await this.#outbox.sendAll(
          presenceFrames(await this.#context.presence.list(this.#context.limits.listed)),
        );
        return this.#outbox.send({ type: 'done', id });
    }
  }

  async #relay(id: number, to: string, sealed: string): Promise<void> {
    const from: PeerEntry = { ...this.#peer!, online: true, seenAt: this.#context.clock.now() };
    const delivery = await this.#context.bus.deliver(to, from, sealed);
    this.#context.metrics.signals.inc({ outcome: delivery });
    if (delivery === 'delivered') return this.#outbox.send({ type: 'done', id });
    if (delivery === 'offline')
      return this.#outbox.send({
        type: 'error',
        id,
        code: 'ERR_PEER_OFFLINE',
        reason: 'The peer is not online.',
      });
    return this.#outbox.send({
      type: 'error',
      id,
      code: 'ERR_RENDEZVOUS_LIMIT',
      reason: 'Too much waits for this peer.',
      retryAfterMs: 1000,
    });
  }

  #overrun(id: number, waitMs: number): Promise<void> {
    if (++this.#overruns > MAX_OVERRUNS)
      throw new Fatal('ERR_RENDEZVOUS_LIMIT', 'Too many messages.', 10_000);
    return this.#outbox.send({
      type: 'error',
      id,
      code: 'ERR_RENDEZVOUS_LIMIT',
      reason: 'Too many messages.',
      retryAfterMs: waitMs,
    });
  }

  #watchSilence(): void {
    const { clock, limits } = this.#context;
    let timer: Disposable | undefined;
    const look = (): void => {
      const leftMs = this.#heardAtMs + limits.lifetimeMs - clock.now();
      if (leftMs <= 0)
        this.end({
          type: 'error',
          code: 'ERR_RENDEZVOUS_LIMIT',
          reason: 'Nothing was heard for too long.',
          retryAfterMs: 0,
        });
      else timer = clock.schedule(leftMs, look);
    };
    look();
    this.#scope.defer(() => timer?.[Symbol.dispose]());
  }

  #log(level: LogEntry['level'], event: string, details: Record<string, unknown>): void {
    this.#context.log({ level, event, ...details });
  }
}

/** In tokens of the rate limit. */
function costOf(message: ClientMessage): number {
  if (message.type === 'signal') return 1 + message.sealed.length / BYTES_PER_TOKEN;
  return message.type === 'watch' ? WATCH_COST : 1;
}

function accept(message: Parsed<ClientMessage>): ClientMessage {
  if (message.ok) return message.value;
  throw new Fatal(message.code, message.detail);
}
