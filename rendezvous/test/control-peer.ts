import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import {
  ACCESS_EXPORTER_BYTES,
  accessProof,
  encodeFrame,
  FrameReader,
  makeCertificate,
  parseServerMessage,
  peerIdOf,
  RENDEZVOUS_ALPN,
  RENDEZVOUS_EXPORTER,
  type ServerMessage,
} from '@awl/wire';

/** The keys of a peer in a test. */
export interface TestIdentity {
  readonly peerId: string;
  readonly privateKey: KeyObject;
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly spki: Buffer;
  readonly sealKey: Buffer;
  readonly sealSignature: Buffer;
}

export function testIdentity(): TestIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const sealKey = Buffer.alloc(32, 7);
  return {
    peerId: peerIdOf(spki),
    privateKey,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    certificatePem: makeCertificate(privateKey).pem,
    spki,
    sealKey,
    sealSignature: sign(null, sealKey, privateKey),
  };
}

/** A peer that says exactly what a test wants: frames in, messages out, in order. */
export class ControlPeer implements Disposable {
  readonly socket: TLSSocket;
  readonly identity: TestIdentity;
  readonly closed: Promise<void>;
  readonly #messages: ServerMessage[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(socket: TLSSocket, identity: TestIdentity) {
    this.socket = socket;
    this.identity = identity;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    const reader = new FrameReader();
    socket.on('data', (chunk: Buffer) =>
      reader.push(chunk, (value) => {
        const message = value.ok ? parseServerMessage(value.value) : value;
        if (!message.ok) throw new Error(`the server sent ${message.detail}`);
        this.#messages.push(message.value);
        this.#wake.resolve();
      }),
    );
    socket.on('error', () => undefined);
    socket.on('close', () => this.#wake.resolve());
  }

  /** Connects, without a hello. */
  static async connect(
    server: { readonly port: number; readonly host?: string },
    identity = testIdentity(),
    tls: ConnectionOptions = {},
  ): Promise<ControlPeer> {
    const socket = connect({
      host: server.host ?? '127.0.0.1',
      port: server.port,
      key: identity.keyPem,
      cert: identity.certificatePem,
      ALPNProtocols: [RENDEZVOUS_ALPN],
      rejectUnauthorized: false,
      ...tls,
    });
    await once(socket, 'secureConnect');
    return new ControlPeer(socket, identity);
  }

  /** Connects and registers. */
  static async register(
    server: { readonly port: number },
    options: { readonly identity?: TestIdentity; readonly name?: string; readonly accessKey?: string } = {},
  ): Promise<ControlPeer> {
    const peer = await ControlPeer.connect(server, options.identity);
    peer.hello(options);
    await peer.next('welcome');
    return peer;
  }

  hello({
    name,
    accessKey,
    ...extra
  }: { readonly name?: string; readonly accessKey?: string; readonly [field: string]: unknown } = {}): void {
    const { spki, sealKey, sealSignature } = this.identity;
    const { identity: _identity, ...fields } = extra;
    const exporter = () =>
      this.socket.exportKeyingMaterial(ACCESS_EXPORTER_BYTES, RENDEZVOUS_EXPORTER, Buffer.alloc(0));
    this.say({
      type: 'hello',
      version: 1,
      features: [],
      spki: spki.toString('base64url'),
      sealKey: sealKey.toString('base64url'),
      sealSignature: sealSignature.toString('base64url'),
      ...(name === undefined ? {} : { name }),
      ...(accessKey === undefined ? {} : { access: accessProof(accessKey, exporter()) }),
      ...fields,
    });
  }

  say(message: object): void {
    this.socket.write(encodeFrame(message));
  }

  /** The next message of a type; others before it are dropped. */
  async next<Type extends ServerMessage['type']>(
    type: Type,
  ): Promise<Extract<ServerMessage, { type: Type }>> {
    for (;;) {
      const message = this.#messages.shift();
      if (message?.type === type) return message as Extract<ServerMessage, { type: Type }>;
      if (message) {
        if (message.type === 'error') throw new Error(`${message.code}: ${message.reason}`);
        continue;
      }
      if (this.socket.closed) throw new Error(`closed before ${type}`);
      this.#wake = Promise.withResolvers<void>();
      await this.#wake.promise;
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** A clock that stands still until it is moved. */
export class TestClock {
  #nowMs = 1_790_000_000_000;
  readonly #timers = new Set<{ atMs: number; task: () => void }>();

  now = (): number => this.#nowMs;

  schedule = (delayMs: number, task: () => void): Disposable => {
    const timer = { atMs: this.#nowMs + delayMs, task };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  };

  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const [due] = [...this.#timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (!due) break;
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.task();
    }
    this.#nowMs = endMs;
  }
}
