import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Role } from '@awl/api';
import { encodeRecord, RECORD } from './record.ts';

const VERSION = 1;
export const SESSION_ID_BYTES = 16;
const HASH_BYTES = 32;
const BODY_BYTES = 98;
const LABEL = Buffer.from('awl resume v1\0');

/** How far a session's two byte streams have come. */
export interface Offsets {
  /** We have everything before it. */
  readonly received: number;
  /** We have sent nothing after it. */
  readonly sent: number;
}

/** The first message on a path: HELLO of a new session, or RESUME of one that both sides know. */
export interface Join extends Offsets {
  readonly resume: boolean;
  readonly sessionId: Buffer;
  /** Of the newest nomination that the sender knows. */
  readonly epoch: number;
  /** Hash of the signalling that led to this path: who changed it, changed this. */
  readonly transcript: Buffer;
}

/** What proves that a RESUME was made for this very TLS connection by one who knows the session. */
export interface ResumeKeys {
  /** From the first path's TLS. */
  readonly secret: Buffer;
  /** From this path's TLS. */
  readonly exporter: Buffer;
}

function encodeFields(join: Join): Buffer {
  const body = Buffer.alloc(BODY_BYTES - HASH_BYTES);
  body.writeUInt16BE(VERSION);
  join.sessionId.copy(body, 2, 0, SESSION_ID_BYTES);
  body.writeUInt32BE(join.epoch, 18);
  join.transcript.copy(body, 22, 0, HASH_BYTES);
  body.writeUIntBE(join.received, 54, 6);
  body.writeUIntBE(join.sent, 60, 6);
  return body;
}

function proof(fields: Buffer, keys: ResumeKeys, sender: Role): Buffer {
  return createHmac('sha256', keys.secret)
    .update(LABEL)
    .update(sender)
    .update('\0')
    .update(keys.exporter)
    .update(fields)
    .digest();
}

/** The record; the proof of a HELLO, which has nothing to resume, is zeros. */
export function encodeJoin(join: Join, keys: ResumeKeys | undefined, sender: Role): Buffer {
  const fields = encodeFields(join);
  return encodeRecord(
    join.resume ? RECORD.resume : RECORD.hello,
    fields,
    keys ? proof(fields, keys, sender) : Buffer.alloc(HASH_BYTES),
  );
}

/** The message in a record's body, or what is wrong with it. */
export function decodeJoin(type: number, body: Buffer): Join | string {
  const version = body.readUInt16BE();
  if (version !== VERSION)
    return `the peer speaks version ${version} of the session protocol, this side ${VERSION}`;
  return {
    resume: type === RECORD.resume,
    sessionId: Buffer.from(body.subarray(2, 18)),
    epoch: body.readUInt32BE(18),
    transcript: Buffer.from(body.subarray(22, 54)),
    received: body.readUIntBE(54, 6),
    sent: body.readUIntBE(60, 6),
  };
}

/** True if the sender of this RESUME knows the session, and made it for this TLS connection and direction. */
export function proves(body: Buffer, keys: ResumeKeys, sender: Role): boolean {
  const fields = body.subarray(0, BODY_BYTES - HASH_BYTES);
  return timingSafeEqual(body.subarray(BODY_BYTES - HASH_BYTES), proof(fields, keys, sender));
}
