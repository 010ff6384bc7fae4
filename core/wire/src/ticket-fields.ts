import { decodeBase32, encodeBase32 } from './base32.ts';
import { isPeerId, peerIdOf } from './certificate.ts';
import { AwlError } from './errors.ts';
import { formatIp, parseIp } from './ip.ts';

/** Where the peer may be reached without a rendezvous. */
export interface TicketCandidate {
  readonly type: (typeof CANDIDATE_TYPES)[number];
  readonly protocol: 'udp' | 'tcp';
  readonly endpoint: { readonly address: string; readonly port: number };
}

/** What a ticket says. Whoever has it may connect until it ends. */
export interface Ticket {
  readonly peerId: string;
  /** 128 bits. */
  readonly secret: Buffer;
  /** `awl://host[:port][#fingerprint]`, at most 4. */
  readonly rendezvous: readonly string[];
  /** The id of the share that it opens; without one, whatever the peer allows. */
  readonly share?: string;
  /** Milliseconds since the Unix epoch, in whole seconds; without it, until revoked. */
  readonly expiresAtMs?: number;
  /** The peer's keys, so that nobody has to be asked for them: DER SubjectPublicKeyInfo (Ed25519) and raw X25519. */
  readonly keys?: { readonly spki: Buffer; readonly sealKey: Buffer };
  /** At most 8. */
  readonly candidates: readonly TicketCandidate[];
}

const CANDIDATE_TYPES = ['host', 'server-reflexive', 'mapped'] as const;
const CANDIDATES_MAX = 8;
const RENDEZVOUS_MAX = 4;
const SECRET_BYTES = 16;
const KEY_BYTES = 32;
const RENDEZVOUS_SCHEME = 'awl://';
/** Printable ASCII after the scheme. */
const RENDEZVOUS_REST = /^[\x21-\x7e]{1,240}$/;
const SHARE = /^[A-Za-z0-9._:@/-]{1,64}$/;
/** RFC 8410 §4: what stands before the 32 bytes of an Ed25519 key. */
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');
/** Expiry is a u32 of seconds. */
const EXPIRES_MAX_S = 0xffff_ffff;

/** Each field is type (u8), length (u8), value. Unknown types are for later versions and are ignored. */
const FIELD = { peerId: 1, keys: 2, secret: 3, expires: 4, share: 5, rendezvous: 6, candidate: 7 } as const;

function unusable(what: string): AwlError {
  return new AwlError('ERR_USAGE', `No ticket can be made: ${what}.`);
}

function field(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(type, value.length), value]);
}

/** Throws `ERR_USAGE` when something is over its bound. */
export function encodeTicketFields(ticket: Ticket): Buffer {
  const { peerId, keys, secret, expiresAtMs, share, rendezvous, candidates } = ticket;
  const hash = decodeBase32(peerId);
  if (!hash || !isPeerId(peerId)) throw unusable('the peer id is not valid');
  if (secret.length !== SECRET_BYTES) throw unusable(`its secret must have ${SECRET_BYTES} bytes`);
  if (rendezvous.length > RENDEZVOUS_MAX) throw unusable(`it can name ${RENDEZVOUS_MAX} rendezvous at most`);
  if (candidates.length > CANDIDATES_MAX) throw unusable(`it can hold ${CANDIDATES_MAX} candidates at most`);
  const fields = [keys ? keysField(peerId, keys) : field(FIELD.peerId, hash), field(FIELD.secret, secret)];
  if (expiresAtMs !== undefined) {
    const seconds = Buffer.alloc(4);
    seconds.writeUInt32BE(Math.min(Math.max(Math.ceil(expiresAtMs / 1000), 0), EXPIRES_MAX_S));
    fields.push(field(FIELD.expires, seconds));
  }
  if (share !== undefined) {
    if (!SHARE.test(share)) throw unusable('the share id is not valid');
    fields.push(field(FIELD.share, Buffer.from(share)));
  }
  for (const url of rendezvous) {
    const rest = url.slice(RENDEZVOUS_SCHEME.length);
    if (!url.startsWith(RENDEZVOUS_SCHEME) || !RENDEZVOUS_REST.test(rest))
      throw unusable('a rendezvous URL is not valid');
    fields.push(field(FIELD.rendezvous, Buffer.from(rest)));
  }
  return Buffer.concat([...fields, ...candidates.map(candidateField)]);
}

function keysField(peerId: string, { spki, sealKey }: NonNullable<Ticket['keys']>): Buffer {
  if (
    peerIdOf(spki) !== peerId ||
    spki.length !== SPKI_ED25519.length + KEY_BYTES ||
    sealKey.length !== KEY_BYTES
  ) {
    throw unusable('the keys are not those of the peer');
  }
  return field(FIELD.keys, spki.subarray(SPKI_ED25519.length), sealKey);
}

/** Type and protocol (u8), port (u16), address (4 or 16 bytes). */
function candidateField({ type, protocol, endpoint }: TicketCandidate): Buffer {
  const address = parseIp(endpoint.address);
  if (!address) throw unusable('a candidate has no IP address');
  const head = Buffer.alloc(3);
  head.writeUInt8(CANDIDATE_TYPES.indexOf(type) * 2 + (protocol === 'tcp' ? 1 : 0));
  head.writeUInt16BE(endpoint.port, 1);
  return field(FIELD.candidate, head, address);
}

function malformed(what: string): AwlError {
  return new AwlError('ERR_TICKET_MALFORMED', `The ticket is damaged: ${what}.`);
}

/** A ticket from its fields, or what is wrong with them. */
export function decodeTicketFields(bytes: Buffer): Ticket | AwlError {
  const values = new Map<number, Buffer[]>();
  for (let at = 0; at < bytes.length;) {
    const type = bytes[at] ?? 0;
    const end = at + 2 + (bytes[at + 1] ?? Infinity);
    if (end > bytes.length) return malformed('a field is cut off');
    values.set(type, [...(values.get(type) ?? []), bytes.subarray(at + 2, end)]);
    at = end;
  }
  for (const name of ['peerId', 'keys', 'secret', 'expires', 'share'] as const) {
    if ((values.get(FIELD[name])?.length ?? 0) > 1) return malformed(`it has more than one ${name}`);
  }
  const one = (type: number): Buffer | undefined => values.get(type)?.[0];
  const identity = decodeIdentity(one(FIELD.peerId), one(FIELD.keys));
  const secret = one(FIELD.secret);
  const expires = one(FIELD.expires);
  const share = one(FIELD.share)?.toString('latin1');
  if (!identity) return malformed('it names no peer');
  if (secret?.length !== SECRET_BYTES) return malformed('it has no secret');
  if (expires && expires.length !== 4) return malformed('its expiry is not valid');
  if (share !== undefined && !SHARE.test(share)) return malformed('its share is not valid');
  const rendezvous = decodeRendezvous(values.get(FIELD.rendezvous) ?? []);
  if (!rendezvous) return malformed('its rendezvous is not valid');
  const candidates = decodeCandidates(values.get(FIELD.candidate) ?? []);
  if (!candidates) return malformed('a candidate is not valid');
  return {
    ...identity,
    secret: Buffer.from(secret),
    rendezvous,
    candidates,
    ...(share === undefined ? {} : { share }),
    ...(expires ? { expiresAtMs: expires.readUInt32BE() * 1000 } : {}),
  };
}

function decodeIdentity(
  hash: Buffer | undefined,
  keys: Buffer | undefined,
): Pick<Ticket, 'peerId' | 'keys'> | undefined {
  if (keys) {
    if (hash || keys.length !== 2 * KEY_BYTES) return undefined;
    const spki = Buffer.concat([SPKI_ED25519, keys.subarray(0, KEY_BYTES)]);
    return { peerId: peerIdOf(spki), keys: { spki, sealKey: Buffer.from(keys.subarray(KEY_BYTES)) } };
  }
  return hash?.length === KEY_BYTES ? { peerId: encodeBase32(hash) } : undefined;
}

function decodeRendezvous(values: readonly Buffer[]): string[] | undefined {
  const rests = values.map((value) => value.toString('latin1'));
  if (rests.length > RENDEZVOUS_MAX || !rests.every((rest) => RENDEZVOUS_REST.test(rest))) return undefined;
  return rests.map((rest) => RENDEZVOUS_SCHEME + rest);
}

function decodeCandidates(values: readonly Buffer[]): TicketCandidate[] | undefined {
  if (values.length > CANDIDATES_MAX) return undefined;
  const candidates: TicketCandidate[] = [];
  for (const value of values) {
    if (value.length !== 7 && value.length !== 19) return undefined;
    const type = CANDIDATE_TYPES[value.readUInt8() >> 1];
    const port = value.readUInt16BE(1);
    if (!type || port === 0) return undefined;
    candidates.push({
      type,
      protocol: value.readUInt8() % 2 === 1 ? 'tcp' : 'udp',
      endpoint: { address: formatIp(value, 3), port },
    });
  }
  return candidates;
}
