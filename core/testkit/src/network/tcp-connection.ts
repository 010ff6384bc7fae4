import type { DialOutcome, Endpoint } from '@awl/api';
import type { TcpStream } from '@awl/engine';
import type { AddressId } from './address.ts';
import { ACK, FIN, Packet, RST, SYN, TCP } from './packet.ts';
import { RetransmissionTimer } from './retransmission-timer.ts';
import { ReceiveQueue, SendQueue } from './tcp-queues.ts';
import { TcpDuplex, type StreamSource } from './tcp-stream.ts';

const FIN_WAIT_MS = 60_000;

/** What a connection needs of its host. */
export interface SegmentStack {
  schedule(delayMs: number, task: () => void): Disposable;
  now(): number;
  sendSegment(packet: Packet): void;
  endpoint(address: AddressId, port: number): Endpoint;
  forget(connection: TcpConnection): void;
}

/** The local and the remote end of a connection. */
export interface TcpTuple {
  readonly local: AddressId;
  readonly localPort: number;
  readonly remote: AddressId;
  readonly remotePort: number;
}

type State = 'syn-sent' | 'syn-received' | 'established' | 'closed';

/** How an opening ended, told to whoever waits for it. */
export type OpeningResult =
  | { readonly connected: TcpStream }
  | { readonly failed: Exclude<DialOutcome, 'connected'> };

/** A TCP connection, RFC 9293: opening (simultaneous too), a reliable byte stream, and its end. */
export class TcpConnection implements StreamSource {
  readonly tuple: TcpTuple;
  readonly #stack: SegmentStack;
  readonly #initial: number;
  readonly #sending: SendQueue;
  #receiving: ReceiveQueue | null = null;
  #state: State;
  #onOpened: ((result: OpeningResult) => void) | null;
  #stream: TcpDuplex | null = null;
  readonly #timer: RetransmissionTimer;
  #lingering: Disposable | null = null;
  #startedAtMs = 0;
  #readerWants = true;
  #ended = false;

  private constructor(
    stack: SegmentStack,
    tuple: TcpTuple,
    initial: number,
    state: State,
    onOpened: (result: OpeningResult) => void,
  ) {
    this.#stack = stack;
    this.tuple = tuple;
    this.#initial = initial;
    this.#state = state;
    this.#onOpened = onOpened;
    this.#sending = new SendQueue(initial + 1);
    this.#startedAtMs = stack.now();
    this.#timer = new RetransmissionTimer((delayMs, task) => stack.schedule(delayMs, task));
  }

  /** An active open. */
  static dial(
    stack: SegmentStack,
    tuple: TcpTuple,
    initial: number,
    onOpened: (result: OpeningResult) => void,
  ): TcpConnection {
    const connection = new TcpConnection(stack, tuple, initial, 'syn-sent', onOpened);
    connection.#sendOpening();
    return connection;
  }

  /** A passive open, on the SYN of a peer. */
  static accept(
    stack: SegmentStack,
    tuple: TcpTuple,
    initial: number,
    syn: Packet,
    onOpened: (result: OpeningResult) => void,
  ): TcpConnection {
    const connection = new TcpConnection(stack, tuple, initial, 'syn-received', onOpened);
    connection.#receiving = new ReceiveQueue(syn.sequence + 1);
    connection.#sendOpening();
    return connection;
  }

  /** Ends an opening; nothing is sent. */
  abandon(outcome: 'aborted' | 'timeout'): void {
    if (this.#state === 'syn-sent' || this.#state === 'syn-received') this.#fail(outcome);
  }

  /** An ICMP error about a segment of ours: fatal to an opening only (RFC 5927 §2). */
  unreachable(): void {
    if (this.#state === 'syn-sent' || this.#state === 'syn-received') this.#fail('unreachable');
  }

  receive(segment: Packet): void {
    if (this.#state === 'syn-sent') return this.#receiveInSynSent(segment);
    if (this.#state === 'syn-received') return this.#receiveInSynReceived(segment);
    if (this.#state === 'established') this.#receiveEstablished(segment);
  }

  /** RFC 9293 §3.10.7.3. */
  #receiveInSynSent(segment: Packet): void {
    const { flags } = segment;
    const acceptable = (flags & ACK) !== 0 && segment.acknowledgement === this.#initial + 1;
    if (flags & ACK && !acceptable) {
      if (!(flags & RST)) this.#send(RST, segment.acknowledgement);
      return;
    }
    if (flags & RST) {
      if (acceptable) this.#fail('refused');
      return;
    }
    if (!(flags & SYN)) return;
    this.#receiving = new ReceiveQueue(segment.sequence + 1);
    if (acceptable) {
      this.#establish();
      this.#acknowledge();
    } else {
      // Both sides opened at once.
      this.#state = 'syn-received';
      this.#timer.reset();
      this.#sendOpening();
    }
  }

  /** RFC 9293 §3.10.7.4. */
  #receiveInSynReceived(segment: Packet): void {
    const { flags } = segment;
    if (flags & RST) {
      if (segment.sequence === this.#receiving!.next) this.#fail('refused');
      return;
    }
    if (flags & SYN && segment.sequence + 1 !== this.#receiving!.next) return this.#acknowledge();
    if (!(flags & ACK)) return flags & SYN ? this.#sendOpening() : undefined;
    if (segment.acknowledgement < this.#initial + 1) return;
    this.#establish();
    if (flags & SYN) this.#acknowledge();
    else this.#receiveEstablished(segment);
  }

  #receiveEstablished(segment: Packet): void {
    const { flags } = segment;
    const receiving = this.#receiving!;
    if (flags & RST) {
      if (segment.sequence < receiving.next) return;
      // Both sides had finished: only the last ACK was lost.
      if (receiving.finished && this.#sending.finished) this.#discard();
      else this.#break('ECONNRESET');
      return;
    }
    // A retransmitted SYN: our ACK of it was lost.
    if (flags & SYN) return this.#acknowledge();
    if (flags & ACK) this.#receiveAcknowledgement(segment);
    if (segment.payload.length === 0 && !(flags & FIN)) return;
    if (this.#stream?.destroyed && segment.payload.length > 0) {
      this.#send(RST, this.#sending.next);
      return this.#discard();
    }
    receiving.add(segment.sequence, segment.payload, (flags & FIN) !== 0);
    this.#deliver();
    this.#acknowledge();
    this.#endIfDone();
  }

  #receiveAcknowledgement(segment: Packet): void {
    const sending = this.#sending;
    sending.windowBytes = segment.windowBytes;
    if (sending.acknowledge(segment.acknowledgement)) {
      this.#timer.reset();
      this.#rearm();
    } else if (sending.duplicates === 3) this.#retransmit();
    this.#transmit();
    this.#endIfDone();
  }

  #establish(): void {
    this.#state = 'established';
    this.#timer.reset();
    this.#timer.measured(this.#stack.now() - this.#startedAtMs);
    this.#rearm();
    const stream = (this.#stream = new TcpDuplex(this));
    const { local, localPort, remote, remotePort } = this.tuple;
    const opened = this.#onOpened;
    this.#onOpened = null;
    opened?.({
      connected: {
        stream,
        local: this.#stack.endpoint(local, localPort),
        remote: this.#stack.endpoint(remote, remotePort),
      },
    });
  }

  #fail(outcome: Exclude<DialOutcome, 'connected'>): void {
    const opened = this.#onOpened;
    this.#onOpened = null;
    this.#discard();
    opened?.({ failed: outcome });
  }

  /** The connection is lost: the stream's owner hears of it. */
  #break(code: 'ECONNRESET' | 'ETIMEDOUT'): void {
    const stream = this.#stream;
    this.#discard();
    stream?.destroy(Object.assign(new Error(`the connection broke: ${code}`), { code }));
  }

  #discard(): void {
    this.#state = 'closed';
    this.#timer.stop();
    this.#lingering?.[Symbol.dispose]();
    this.#stack.forget(this);
  }

  // The stream's side.

  write(chunk: Uint8Array, taken: () => void): void {
    if (this.#state !== 'established') return;
    this.#sending.push(new Uint8Array(chunk), taken);
    this.#transmit();
  }

  finish(): void {
    if (this.#state !== 'established') return;
    this.#sending.finish();
    this.#transmit();
  }

  resume(): void {
    this.#readerWants = true;
    if (this.#state !== 'established') return;
    const wasFull = this.#receiving!.windowBytes === 0;
    this.#deliver();
    if (wasFull && this.#receiving!.windowBytes > 0) this.#acknowledge();
  }

  /** Nobody reads any more: what was written is still sent, what comes is refused. */
  close(): void {
    if (this.#state !== 'established') return;
    this.#ended = true;
    this.#sending.finish();
    this.#transmit();
    this.#endIfDone();
  }

  #deliver(): void {
    const stream = this.#stream;
    const receiving = this.#receiving!;
    if (!stream || stream.destroyed) return;
    while (this.#readerWants) {
      const chunk = receiving.take();
      if (!chunk) break;
      this.#readerWants = stream.push(chunk);
    }
    if (receiving.atEnd && !this.#ended) {
      this.#ended = true;
      stream.push(null);
    }
  }

  #endIfDone(): void {
    if (this.#state !== 'established' || !this.#sending.allAcknowledged || !this.#ended) return;
    if (this.#receiving!.finished) return this.#discard();
    // FIN-WAIT-2 without a reader: the peer has a minute to finish.
    if (this.#stream?.destroyed) this.#lingering ??= this.#stack.schedule(FIN_WAIT_MS, () => this.#discard());
  }

  // Sending.

  #transmit(): void {
    for (let part = this.#sending.nextPart(); part; part = this.#sending.nextPart()) this.#sendPart(part);
    if (!this.#timer.isRunning) this.#rearm();
  }

  #sendPart(part: { readonly sequence: number; readonly bytes: Uint8Array; readonly fin: boolean }): void {
    const packet = this.#packet(ACK | (part.fin ? FIN : 0), part.sequence);
    packet.payload = part.bytes;
    this.#stack.sendSegment(packet);
  }

  #retransmit(): void {
    const part = this.#sending.firstPart();
    if (part) this.#sendPart(part);
  }

  #sendOpening(): void {
    this.#send(this.#state === 'syn-sent' ? SYN : SYN | ACK, this.#initial);
    this.#rearm();
  }

  #acknowledge(): void {
    this.#send(ACK, this.#sending.next);
  }

  #send(flags: number, sequence: number): void {
    this.#stack.sendSegment(this.#packet(flags, sequence));
  }

  #packet(flags: number, sequence: number): Packet {
    const { local, localPort, remote, remotePort } = this.tuple;
    const packet = new Packet(TCP, local, localPort, remote, remotePort);
    packet.flags = flags;
    packet.sequence = sequence;
    if (flags & ACK && this.#receiving) {
      packet.acknowledgement = this.#receiving.next;
      packet.windowBytes = this.#receiving.windowBytes;
    }
    return packet;
  }

  /** The timer runs while something is unacknowledged. */
  #rearm(): void {
    this.#timer.stop();
    if (this.#state === 'closed' || (this.#state === 'established' && this.#sending.allAcknowledged)) return;
    this.#timer.start((mayRetry) => this.#expire(mayRetry));
  }

  #expire(mayRetry: boolean): void {
    if (!mayRetry) return this.#state === 'established' ? this.#break('ETIMEDOUT') : this.#fail('timeout');
    if (this.#state !== 'established') return this.#sendOpening();
    this.#sending.windowBytes = Math.max(1, this.#sending.windowBytes);
    this.#retransmit();
    this.#transmit();
    this.#rearm();
  }
}
