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
  /** Of the newest path that was in service at the sender; its TLS gave the secret of the proof. */
  readonly epoch: number;
  /** Hash of the signalling that led to this path: who changed it, changed this. */
  readonly transcript: Buffer;
}

/** What proves that a RESUME was made for this very TLS connection by one who knows the session. */
export interface ResumeKeys {
  /** From the TLS of the path that was in service. */
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

/** What a peer's first message is held against. */
export interface JoinState extends Offsets {
  readonly sessionId: Buffer;
  readonly transcript: Buffer;
  /** A path was in service here. */
  readonly begun: boolean;
  /** The message proves that its sender knows the session. */
  readonly proved: boolean;
  /** The peer confirmed everything before it. */
  readonly acked: number;
  /** No other path was in use since before the peer wrote this, so its offsets cannot be behind ours. */
  readonly alone: boolean;
}

/**
 * What is wrong with a peer's first message, or undefined. The two sides may differ about whether the session has begun: a path can break
 * when one of them has heard of its nomination. Then no byte has passed, and what both have is the beginning.
 */
export function judgeJoin(join: Join, state: JoinState): string | undefined {
  if (!join.sessionId.equals(state.sessionId)) return 'the peer means another session';
  if (!join.transcript.equals(state.transcript)) return 'the signalling was changed on its way';
  if (!join.resume) {
    return state.acked > 0 || state.received > 0 ? 'the peer does not know the session any more' : undefined;
  }
  if (!state.begun) return join.received > 0 ? 'the peer means an earlier session' : undefined;
  if (!state.proved) return 'the peer does not know the session';
  const backwards = state.alone && (join.received < state.acked || join.sent < state.received);
  return join.received > state.sent || backwards ? 'its offsets cannot be' : undefined;
}
