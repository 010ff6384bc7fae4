import { delay, familyOf, type DialOutcome, type Endpoint, type TcpLease } from '@awl/api';
import { AwlError, decodeStun, encodeStun, stunStreamReader } from '@awl/wire';
import { CheckedStream } from './checked-stream.ts';
import { DialError, type TcpPort, type TcpStream } from './network.ts';
import { takeProbes, type LeaseScope } from './scope.ts';

const DIAL_TIMEOUT_MS = 10_000;
const REFLEXIVE_TIMEOUT_MS = 2000;
/** Connections of one lease that may be checking at once. */
const CHECKING_LIMIT = 64;

/** A TCP port on lease, and what the engine does with it. */
export class ManagedTcpLease implements TcpLease {
  readonly protocol = 'tcp';
  readonly id: string;
  readonly local: Endpoint;
  readonly #port: TcpPort;
  readonly #scope: LeaseScope;
  readonly #onClosed: (lease: ManagedTcpLease) => void;
  readonly #checking = new Set<CheckedStream>();
  /** Connections to STUN servers: they keep the mapping alive. */
  readonly #anchors: TcpStream[] = [];
  #reflexive: Promise<Endpoint> | undefined;
  /** What {@link reflexive} found, once it did. */
  knownReflexive: Endpoint | undefined;
  /** What {@link mapped} got, once it did. */
  knownMapped: Endpoint | undefined;
  readonly #mapping = new AbortController();
  #closed = false;

  constructor(id: string, port: TcpPort, scope: LeaseScope, onClosed: (lease: ManagedTcpLease) => void) {
    this.id = id;
    this.#port = port;
    this.#scope = scope;
    this.#onClosed = onClosed;
    this.local = port.local;
  }

  reflexive(signal: AbortSignal = this.#scope.signal): Promise<Endpoint> {
    const server = this.#scope.stun.tcp.find((endpoint) => familyOf(endpoint) === familyOf(this.local));
    if (!server)
      return Promise.reject(new AwlError('ERR_NAT_UNREACHABLE', 'no STUN server is known for this family'));
    this.#reflexive ??= this.query(server, signal);
    this.#reflexive.then(
      (endpoint) => (this.knownReflexive = endpoint),
      () => (this.#reflexive = undefined),
    );
    return this.#reflexive;
  }

  async mapped(signal: AbortSignal = this.#scope.signal): Promise<Endpoint | undefined> {
    this.knownMapped ??= await this.#scope.map(this, signal, this.#mapping.signal);
    return this.knownMapped;
  }

  /** Asks a STUN server over TCP from this port; the connection stays open. Rejects with `ERR_NAT_UNREACHABLE`. */
  async query(server: Endpoint, signal: AbortSignal): Promise<Endpoint> {
    try {
      const tcp = await this.#port.dial(server, { timeoutMs: REFLEXIVE_TIMEOUT_MS, signal });
      if (this.#closed) tcp.stream.destroy();
      this.#anchors.push(tcp);
      return await askOverStream(this.#scope, tcp);
    } catch (error) {
      if (error instanceof AwlError) throw error;
      const outcome = error instanceof DialError ? error.outcome : 'failed';
      throw new AwlError(
        'ERR_NAT_UNREACHABLE',
        `STUN over TCP with ${server.address}:${server.port}: ${outcome}`,
        { cause: error },
      );
    }
  }

  async dial(
    to: Endpoint,
    options: { readonly atMs?: number; readonly timeoutMs?: number } = {},
  ): Promise<DialOutcome> {
    const { clock, signal, startAt = 0, checks } = this.#scope;
    const waitMs = options.atMs === undefined ? 0 : startAt + options.atMs - clock.now();
    if (waitMs > 0) await delay(clock, waitMs, signal).catch(() => {}); // aborted: told below
    if (this.#closed || signal.aborted || !checks?.armed) return 'aborted';
    if (takeProbes(this.#scope, to.address, 1) === 0) return 'aborted';
    try {
      const tcp = await this.#port.dial(to, { timeoutMs: options.timeoutMs ?? DIAL_TIMEOUT_MS, signal });
      this.#check(tcp);
      return 'connected';
    } catch (error) {
      return error instanceof DialError ? error.outcome : 'unreachable';
    }
  }

  listen(): Promise<void> {
    return this.#port.listen((tcp) => this.#check(tcp));
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#mapping.abort();
    for (const stream of this.#checking) stream.close();
    for (const { stream } of this.#anchors) stream.destroy();
    this.#port[Symbol.dispose]();
    this.#onClosed(this);
  }

  #check(tcp: TcpStream): void {
    const { checks, clock } = this.#scope;
    if (this.#closed || !checks?.armed || this.#checking.size >= CHECKING_LIMIT) {
      tcp.stream.destroy();
      return;
    }
    this.#checking.add(new CheckedStream(tcp, this, checks, clock, (ended) => this.#checking.delete(ended)));
  }
}

function askOverStream({ clock, random }: LeaseScope, { stream }: TcpStream): Promise<Endpoint> {
  return new Promise((resolve, reject) => {
    const transactionId = Buffer.from(random.bytes(12));
    const reader = stunStreamReader();
    const fail = (): void =>
      reject(
        new AwlError('ERR_NAT_UNREACHABLE', 'the STUN server closed the connection or sent something else'),
      );
    const limit = clock.schedule(REFLEXIVE_TIMEOUT_MS, fail);
    stream.on('error', fail);
    stream.once('close', () => {
      limit[Symbol.dispose]();
      fail();
    });
    stream.on('data', (chunk: Buffer) => {
      const followed = reader.push(chunk, (bytes) => {
        const message = decodeStun(bytes);
        const mapped = message?.attributes.xorMappedAddress ?? message?.attributes.mappedAddress;
        if (!message?.transactionId.equals(transactionId) || !mapped) return;
        limit[Symbol.dispose]();
        resolve(mapped);
      });
      if (!followed) stream.destroy();
    });
    stream.write(encodeStun({ class: 'request', transactionId }));
  });
}
