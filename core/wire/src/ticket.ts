import { createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { decodeBase32, encodeBase32 } from './base32.ts';
import { AwlError } from './errors.ts';
import { decodeTicketFields, encodeTicketFields, type Ticket } from './ticket-fields.ts';

/**
 * A ticket as text: `awl1` and base32 of size (u16), fields, CRC-32. Base32, because it survives chat programs that change case or take
 * `_` for italics, and makes small QR codes in upper case. The size comes first, so that a ticket can be told from the text around it even
 * where a mail program broke it into lines.
 */
export type { Ticket, TicketCandidate } from './ticket-fields.ts';

const PREFIX = 'awl1';
const SIZE_BYTES = 2;
const CHECKSUM_BYTES = 4;
/** Letters that hold the size. */
const SIZE_LETTERS = 4;
/** Of size, fields and checksum together. */
const TICKET_MAX_BYTES = 2048;
/** Text that is searched for a ticket, characters. */
const TEXT_MAX_CHARS = 65_536;
/** Places in it that may begin one. */
const PLACES_MAX = 16;

const letterCount = (byteCount: number): number => Math.ceil((byteCount * 8) / 5);

/** The text of a ticket. Throws `ERR_USAGE` when a field is over its bound. */
export function encodeTicket(ticket: Ticket): string {
  const fields = encodeTicketFields(ticket);
  const bytes = Buffer.alloc(SIZE_BYTES + fields.length + CHECKSUM_BYTES);
  bytes.writeUInt16BE(bytes.length);
  bytes.set(fields, SIZE_BYTES);
  const end = bytes.length - CHECKSUM_BYTES;
  bytes.writeUInt32BE(crc32(bytes.subarray(0, end)), end);
  return PREFIX + encodeBase32(bytes);
}

/**
 * The first whole ticket in a text: a bare line, a chat message, JSON, quotes.
 * Throws `ERR_TICKET_MALFORMED`, `ERR_TICKET_CHECKSUM`, and `ERR_TICKET_EXPIRED` where `nowMs` (since the Unix epoch) is given.
 */
export function parseTicket(text: string, nowMs?: number): Ticket {
  if (text.length > TEXT_MAX_CHARS) throw malformed('The text is too long to hold a ticket.');
  const places = [...text.matchAll(/(?<![a-z0-9])awl1/gi)].slice(0, PLACES_MAX);
  let failure: AwlError | undefined;
  for (const place of places) {
    const found = parseAt(text, place.index + PREFIX.length);
    if (!(found instanceof AwlError)) return checkExpiry(found, nowMs);
    failure ??= found;
  }
  throw (
    failure ??
    malformed(
      text.trim() === '' ? 'There is no ticket: the text is empty.' : 'There is no ticket in the text.',
    )
  );
}

/** Names a ticket without telling its secret: 8 bytes, base64url. */
export function ticketIdOf(secret: Uint8Array): string {
  return createHmac('sha256', secret)
    .update('awl ticket id v1')
    .digest()
    .subarray(0, 8)
    .toString('base64url');
}

function malformed(detail: string): AwlError {
  return new AwlError('ERR_TICKET_MALFORMED', detail);
}

function checkExpiry(ticket: Ticket, nowMs: number | undefined): Ticket {
  if (nowMs !== undefined && ticket.expiresAtMs !== undefined && ticket.expiresAtMs <= nowMs) {
    throw new AwlError(
      'ERR_TICKET_EXPIRED',
      `The ticket expired at ${new Date(ticket.expiresAtMs).toISOString()}.`,
    );
  }
  return ticket;
}

/** The ticket whose letters begin at `start`, or what is wrong with it. */
function parseAt(text: string, start: number): Ticket | AwlError {
  const head = takeLetters(text, start, SIZE_LETTERS);
  // 4 letters are 20 bits: with a fifth, whose bits do not matter, they are 3 bytes.
  const size = decodeBase32(`${head.letters}a`)?.subarray(0, SIZE_BYTES);
  if (head.letters.length < SIZE_LETTERS || size?.length !== SIZE_BYTES)
    return malformed('The ticket is cut off after its beginning.');
  const sizeBytes = ((size[0] ?? 0) << 8) | (size[1] ?? 0);
  if (sizeBytes > TICKET_MAX_BYTES || sizeBytes < SIZE_BYTES + CHECKSUM_BYTES) {
    return malformed('The ticket has a typing or copying error at its beginning.');
  }
  const expected = letterCount(sizeBytes);
  const { letters, end } = takeLetters(text, start, expected);
  if (letters.length < expected) {
    return malformed(
      `The ticket is cut off: ${letters.length} of ${expected} characters after ${PREFIX} are there.`,
    );
  }
  if (/[a-z0-9]/i.test(text.charAt(end))) return malformed('The ticket has characters too many at its end.');
  return parseBytes(decodeBase32(letters));
}

/** The next `count` base32 letters, across line breaks and the marks that mail programs quote with. */
function takeLetters(text: string, start: number, count: number): { letters: string; end: number } {
  let letters = '';
  let end = start;
  while (end < text.length && letters.length < count) {
    const letter = text.charAt(end);
    if (/[a-z2-7]/i.test(letter)) letters += letter;
    else if (!/[\s>|]/.test(letter)) break;
    end += 1;
  }
  return { letters, end };
}

function parseBytes(bytes: Uint8Array | undefined): Ticket | AwlError {
  if (!bytes) return new AwlError('ERR_TICKET_CHECKSUM');
  const buffer = Buffer.from(bytes);
  const end = buffer.length - CHECKSUM_BYTES;
  if (crc32(buffer.subarray(0, end)) !== buffer.readUInt32BE(end)) return new AwlError('ERR_TICKET_CHECKSUM');
  return decodeTicketFields(buffer.subarray(SIZE_BYTES, end));
}
