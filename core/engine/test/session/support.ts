import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import type { Clock } from '@awl/api';
import { createIdentity } from '../../src/security/identity.ts';
import type { AttachOptions } from '../../src/session/carrier-options.ts';
import { createSession, type Session, type SessionOptions } from '../../src/session/session.ts';
import type { SessionStream } from '../../src/session/stream.ts';

export const realClock: Clock = {
  now: () => performance.now(),
  schedule(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

export const alice = createIdentity();
export const bob = createIdentity();
export const mallory = createIdentity();
export const transcript = createHash('sha256').update('offer, answer, go').digest();
export const describePath = { kind: 'direct', strategy: 'test', transport: 'memory' };

/** An in-memory connection of which each end notices when the other is destroyed, as sockets do. */
export function linkedPair(): [Duplex, Duplex] {
  const [a, b] = duplexPair();
  for (const [end, other] of [
    [a, b],
    [b, a],
  ] as const) {
    end.on('error', () => {});
    end.on('close', () => setImmediate(() => other.destroy()));
  }
  return [a, b];
}

export interface Pair extends Disposable {
  /** The controlling side. */
  readonly a: Session;
  readonly b: Session;
  /** Joins both by a new in-memory path, which is handed back for cutting. */
  connect(options?: PathChoice): Promise<[Duplex, Duplex]>;
}

export interface PathChoice {
  readonly duplexes?: [Duplex, Duplex];
  readonly a?: Partial<AttachOptions>;
  readonly b?: Partial<AttachOptions>;
}

/** Two sessions that belong together; not connected yet. */
export function pair(options: Partial<SessionOptions> = {}): Pair {
  const shared = { transcript, clock: realClock, ...options };
  const a = createSession({ ...shared, role: 'controlling', identity: alice, peer: { peerId: bob.peerId } });
  const b = createSession({ ...shared, role: 'controlled', identity: bob, peer: { peerId: alice.peerId } });
  return {
    a,
    b,
    async connect(choice = {}) {
      const duplexes = choice.duplexes ?? linkedPair();
      await Promise.all([
        a.attach({ duplex: duplexes[0], describe: describePath, ...choice.a }),
        b.attach({ duplex: duplexes[1], describe: describePath, ...choice.b }),
      ]);
      return duplexes;
    },
    [Symbol.dispose]() {
      a.close();
      b.close();
    },
  };
}

/** The next stream that the peer opens. */
export function nextStream(session: Session): Promise<SessionStream> {
  return new Promise((resolve) => {
    session.onStream = (stream) => resolve(stream);
  });
}

/** A stream from one session to the other, both ends. */
export async function openBoth(from: Session, to: Session): Promise<[SessionStream, SessionStream]> {
  const incoming = nextStream(to);
  const outgoing = from.openStream({ forward: 'x' });
  return [outgoing, await incoming];
}

/** All bytes until the end. (`for await` would destroy the other half.) */
export function readAll(stream: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve(Buffer.concat(chunks)));
    stream.on('error', reject);
  });
}

/** The code that a stream fails with. */
export async function failure(stream: Duplex): Promise<string> {
  const [error] = (await once(stream, 'error')) as [{ code?: string }];
  return error.code ?? 'no code';
}

export function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export const noise = (sizeBytes: number): Buffer => randomBytes(sizeBytes);
