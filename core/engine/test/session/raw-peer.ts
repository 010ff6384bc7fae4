import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { encodeJoin, SESSION_ID_BYTES, type Join } from '../../src/session/join.ts';
import { encodeOffset, encodeRecord, RECORD, RecordParser } from '../../src/session/record.ts';
import type { AttachedPath, Session } from '../../src/session/session.ts';
import { secure } from '../../src/session/tls.ts';
import { alice, bob, describePath, linkedPair, transcript } from './support.ts';

const hashed = createHash('sha256').update(transcript).digest();
const sessionId = createHash('sha256')
  .update('awl session\0')
  .update(transcript)
  .digest()
  .subarray(0, SESSION_ID_BYTES);

/** The controlling peer of a session, made by hand: it has the right key and says whatever it likes. */
export class RawPeer {
  readonly tls: TLSSocket;
  /** What our session's `attach` came to. */
  readonly attached: Promise<AttachedPath>;
  readonly received: [type: number, body: Buffer][] = [];
  #wake: (() => void) | undefined;

  private constructor(tls: TLSSocket, attached: Promise<AttachedPath>) {
    this.tls = tls;
    this.attached = attached;
    attached.catch(() => {});
    const parser = new RecordParser({
      record: (type, body) => {
        this.received.push([type, Buffer.from(body)]);
        return undefined;
      },
      bytes: (_offset, chunk) => {
        this.received.push([RECORD.bytes, Buffer.from(chunk)]);
        return undefined;
      },
    });
    tls.on('error', () => {});
    tls.on('end', () => tls.end());
    tls.on('data', (chunk: Buffer) => {
      parser.push(chunk);
      this.#wake?.();
    });
  }

  /** A path to the controlled session `b`. */
  static async connect(b: Session): Promise<RawPeer> {
    const [a, theirs] = linkedPair();
    const attached = b.attach({ duplex: theirs, describe: describePath });
    attached.catch(() => {});
    const never = new AbortController().signal;
    return new RawPeer(
      await secure(a, { role: 'controlling', identity: alice, peerId: bob.peerId }, never),
      attached,
    );
  }

  /** The secret that a path nominated on this connection gives. */
  secret(): Buffer {
    return this.tls.exportKeyingMaterial(32, 'EXPORTER-awl-resume', hashed);
  }

  hello(fields: Partial<Join> = {}): Buffer {
    return encodeJoin(
      { resume: false, sessionId, epoch: 0, transcript: hashed, received: 0, sent: 0, ...fields },
      undefined,
      'controlling',
    );
  }

  resume(secret: Buffer, fields: Partial<Join>): Buffer {
    const exporter = this.tls.exportKeyingMaterial(32, 'EXPORTER-awl-path', hashed);
    return encodeJoin(
      { resume: true, sessionId, epoch: 1, transcript: hashed, received: 0, sent: 0, ...fields },
      { secret, exporter },
      'controlling',
    );
  }

  nominate(epoch: number, received = 0): Buffer {
    return encodeOffset(RECORD.nominate, received, epoch);
  }

  /** The session's byte stream from `offset` on. */
  bytes(offset: number, bytes: Buffer): Buffer {
    const head = Buffer.alloc(6);
    head.writeUIntBE(offset, 0, 6);
    return encodeRecord(RECORD.bytes, head, bytes);
  }

  send(...records: readonly Uint8Array[]): void {
    this.tls.write(Buffer.concat(records));
  }

  /** Waits for a record of this type. */
  async next(type: number): Promise<Buffer> {
    for (;;) {
      const found = this.received.find(([other]) => other === type);
      if (found) return found[1];
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Opens the path: HELLO, NOMINATE, and the answer. */
  async begin(): Promise<void> {
    this.send(this.hello(), this.nominate(1));
    await this.next(RECORD.nominated);
  }

  /** The session's byte stream so far. */
  said(): string {
    return this.received
      .filter(([type]) => type === RECORD.bytes)
      .map(([, body]) => body.toString('latin1'))
      .join('');
  }

  async closed(): Promise<void> {
    if (!this.tls.closed) await once(this.tls, 'close');
  }
}
