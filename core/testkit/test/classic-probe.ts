/** Probes a NAT as RFC 5780 does, over any {@link Network}: the same code runs on simulated hosts and in kernel namespaces. */
import { delay, type Clock, type Endpoint } from '@awl/api';
import { DialError, type Network, type TcpStream, type UdpSocket } from '@awl/engine';

export const PROBE_PORTS = [7001, 7002] as const;

/** What was seen of one transport protocol. */
export interface Verdict {
  readonly mapping: string;
  readonly filtering: string;
  readonly allocation: string;
  readonly hairpin?: boolean;
  /** A stranger's packet made the NAT move the own flow to another port. */
  readonly poisoned?: boolean;
}

interface Request {
  readonly tag: number;
  /** `who`: tell me my address, from the socket `from` (address, port); `dial`: connect to me from address `from[0]`. */
  readonly op: 'who' | 'dial';
  readonly from?: readonly [number, number];
  readonly to?: Endpoint;
}

interface Answer {
  readonly tag: number;
  readonly you: Endpoint;
  readonly outcome?: string;
}

/** Answers probes on two addresses and two ports. */
export async function serveProbes(
  network: Network,
  addresses: readonly [string, string],
): Promise<Disposable> {
  const open = new DisposableStack();
  const sockets: UdpSocket[][] = [];
  for (const [row, address] of addresses.entries()) {
    sockets[row] = [];
    for (const port of PROBE_PORTS) {
      const socket = open.use(await network.bindUdp({ family: 4, address, port }));
      socket.onMessage = (payload, from) => {
        const request = JSON.parse(new TextDecoder().decode(payload)) as Request;
        const answer: Answer = { tag: request.tag, you: { ...from } };
        const sender = request.from ? sockets[request.from[0]]![request.from[1]]! : socket;
        sender.send(encode(answer), request.to ?? from);
      };
      sockets[row].push(socket);
      const listener = open.use(await network.reserveTcp({ family: 4, address, port }));
      await listener.listen((connection) => serveConnection(network, addresses, connection));
    }
  }
  return open;
}

function serveConnection(
  network: Network,
  addresses: readonly string[],
  { stream, remote }: TcpStream,
): void {
  stream.on('error', () => {});
  onLines(stream, async (line) => {
    const request = JSON.parse(line) as Request;
    let outcome: string | undefined;
    if (request.op === 'dial') {
      using port = await network.reserveTcp({ family: 4, address: addresses[request.from![0]]! });
      outcome = await port.dial(request.to!, { timeoutMs: 1500 }).then(
        (connection) => {
          connection.stream.destroy();
          return 'connected';
        },
        (error: unknown) => (error instanceof DialError ? error.outcome : String(error)),
      );
    }
    stream.write(`${JSON.stringify({ tag: request.tag, you: remote, outcome })}\n`);
  });
}

/** Probes from the inside. */
export async function probe(
  network: Network,
  clock: Clock,
  servers: readonly [string, string],
): Promise<{ readonly udp: Verdict; readonly tcp: Verdict }> {
  return { udp: await probeUdp(network, clock, servers), tcp: await probeTcp(network, servers) };
}

async function probeUdp(
  network: Network,
  clock: Clock,
  servers: readonly [string, string],
): Promise<Verdict> {
  using open = new DisposableStack();
  const bind = async (): Promise<Asker> => new Asker(open.use(await network.bindUdp({ family: 4 })), clock);
  const asker = await bind();
  const seen: (Endpoint | undefined)[] = [];
  for (const address of servers) {
    for (const port of PROBE_PORTS) seen.push((await asker.ask({ address, port }))?.you);
  }
  if (seen.every((each) => each === undefined))
    return { mapping: 'blocked', filtering: 'blocked', allocation: 'blocked' };
  const target = { address: servers[0], port: PROBE_PORTS[0] };
  const fresh: Asker[] = [];
  const mapped: Endpoint[] = [];
  for (let index = 0; index < 5; index++) {
    const each = await bind();
    const answer = await each.ask(target);
    fresh.push(each);
    if (answer) mapped.push(answer.you);
  }
  const admitted = await Promise.all([
    fresh[0]!.ask(target, [0, 1], 400),
    fresh[0]!.ask(target, [1, 0], 400),
    fresh[0]!.ask(target, [1, 1], 400),
  ]);
  // The packets that were not let in came from there: now the own flow follows.
  const late = await fresh[0]!.ask({ address: servers[1], port: PROBE_PORTS[0] });
  const mapping = classifyMapping(seen.map((each) => each?.port));
  // Both sides of the hairpin send, so that filters are open.
  fresh[2]!.socket.send(encode({ tag: 0 }), mapped[1]!);
  const hairpin = (
    await Promise.all([1, 2, 3].map((turn) => fresh[1]!.hears(fresh[2]!, mapped[2]!, turn)))
  ).some(Boolean);
  return {
    mapping,
    filtering: admitted[1] ? 'EIF' : admitted[0] ? 'ADF' : 'APDF',
    allocation: classifyAllocation(
      fresh.map(({ socket }) => socket.local.port),
      mapped.map(({ port }) => port),
    ),
    hairpin,
    poisoned: mapping === 'EIM' && late?.you.port !== mapped[0]?.port,
  };
}

class Asker {
  readonly socket: UdpSocket;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #tag = 1;

  constructor(socket: UdpSocket, clock: Clock) {
    this.socket = socket;
    this.#clock = clock;
    socket.onMessage = (payload) => {
      const answer = JSON.parse(new TextDecoder().decode(payload)) as Answer;
      this.#waiting.get(answer.tag)?.(answer);
    };
  }

  /** Three tries. */
  async ask(to: Endpoint, from?: readonly [number, number], timeoutMs = 300): Promise<Answer | undefined> {
    for (let tries = 0; tries < 3; tries++) {
      const tag = this.#tag++;
      const answered = this.#wait(tag, timeoutMs);
      this.socket.send(encode({ tag, op: 'who', ...(from && { from }) }), to);
      const answer = await answered;
      if (answer) return answer;
    }
    return undefined;
  }

  async hears(other: Asker, otherMapped: Endpoint, turn: number): Promise<boolean> {
    const tag = -turn;
    const heard = other.#wait(tag, 300);
    this.socket.send(encode({ tag }), otherMapped);
    return (await heard) !== undefined;
  }

  async #wait(tag: number, timeoutMs: number): Promise<Answer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>();
    this.#waiting.set(tag, resolve);
    const giveUp = new AbortController();
    const late = delay(this.#clock, timeoutMs, giveUp.signal).then(
      () => undefined,
      () => undefined,
    );
    const answer = await Promise.race([promise, late]);
    giveUp.abort();
    this.#waiting.delete(tag);
    return answer;
  }
}

async function probeTcp(network: Network, servers: readonly [string, string]): Promise<Verdict> {
  using open = new DisposableStack();
  const reserve = async (): Promise<Awaited<ReturnType<Network['reserveTcp']>>> =>
    open.use(await network.reserveTcp({ family: 4 }));
  const port = await reserve();
  const seen: (number | undefined)[] = [];
  for (const address of servers) {
    for (const number of PROBE_PORTS) seen.push((await askTcp(port, { address, port: number }))?.you.port);
  }
  if (seen.every((each) => each === undefined))
    return { mapping: 'blocked', filtering: 'blocked', allocation: 'blocked' };
  const target = { address: servers[0], port: PROBE_PORTS[0] };
  const locals: number[] = [];
  const mapped: number[] = [];
  for (let index = 0; index < 4; index++) {
    const fresh = await reserve();
    const answer = await askTcp(fresh, target);
    locals.push(fresh.local.port);
    if (answer) mapped.push(answer.you.port);
  }
  const outcomes: (string | undefined)[] = [];
  for (const from of [0, 1] as const) {
    const listening = await reserve();
    outcomes.push(await dialBack(listening, target, from));
  }
  return {
    mapping: classifyMapping(seen),
    filtering: outcomes[1] === 'connected' ? 'EIF' : outcomes[0] === 'connected' ? 'ADF' : 'APDF',
    allocation: classifyAllocation(locals, mapped),
  };
}

type Port = Awaited<ReturnType<Network['reserveTcp']>>;

/** Connects, asks who we are, keeps the connection (and so the mapping) till the server's side is done. */
async function askTcp(port: Port, to: Endpoint): Promise<Answer | undefined> {
  const connection = await port.dial(to, { timeoutMs: 3000 }).catch(() => undefined);
  if (!connection) return undefined;
  const answer = await roundTrip(connection, { tag: 1, op: 'who' });
  connection.stream.destroy();
  return answer;
}

/** Asks the server to connect to us from an address of its own while our connection to the first is open. */
async function dialBack(port: Port, to: Endpoint, from: 0 | 1): Promise<string | undefined> {
  const connection = await port.dial(to, { timeoutMs: 3000 }).catch(() => undefined);
  if (!connection) return undefined;
  await port.listen((incoming) => incoming.stream.destroy());
  const { you } = await roundTrip(connection, { tag: 1, op: 'who' });
  const { outcome } = await roundTrip(connection, { tag: 2, op: 'dial', from: [from, 0], to: you });
  connection.stream.destroy();
  return outcome;
}

function roundTrip({ stream }: TcpStream, request: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    stream.on('error', reject);
    onLines(stream, (line) => resolve(JSON.parse(line) as Answer));
    stream.write(`${JSON.stringify(request)}\n`);
  });
}

function onLines(stream: TcpStream['stream'], take: (line: string) => void | Promise<void>): void {
  let text = '';
  stream.removeAllListeners('data');
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      void take(text.slice(0, end));
      text = text.slice(end + 1);
    }
  });
}

/** @param ports the external port toward (address 1, port 1), (1, 2), (2, 1), (2, 2) */
function classifyMapping(ports: readonly (number | undefined)[]): string {
  if (ports.includes(undefined)) return 'partial';
  if (new Set(ports).size === 1) return 'EIM';
  return ports[0] === ports[1] && ports[2] === ports[3] ? 'ADM' : 'APDM';
}

function classifyAllocation(locals: readonly number[], mapped: readonly number[]): string {
  if (locals.length !== mapped.length) return 'partial';
  if (locals.every((port, index) => port === mapped[index])) return 'preserving';
  const steps = mapped.slice(1).map((port, index) => port - mapped[index]!);
  if (new Set(steps).size === 1) return `contiguous ${steps[0]}`;
  return 'random';
}

function encode(message: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}
