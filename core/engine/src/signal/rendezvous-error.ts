import { AwlError, isErrorCode, type ErrorCode, type ServerMessage } from '@awl/wire';

/** What a rendezvous may blame us with; any other code would speak for somebody else. */
const SERVER_CODES: readonly string[] = [
  'ERR_RENDEZVOUS_ACCESS',
  'ERR_RENDEZVOUS_LIMIT',
  'ERR_NAME_TAKEN',
  'ERR_NAME_INVALID',
  'ERR_PEER_OFFLINE',
  'ERR_PEER_UNKNOWN',
  'ERR_WIRE_TOO_LARGE',
  'ERR_WIRE_MALFORMED',
  'ERR_WIRE_SCHEMA',
  'ERR_WIRE_VERSION',
  'ERR_TLS_PEER',
  'ERR_STORAGE',
] satisfies ErrorCode[];

/** A failure that may say when to come back. */
export class RendezvousError extends AwlError {
  /** Milliseconds; not before they have passed. */
  readonly retryAfterMs: number | undefined;
  constructor(code: ErrorCode, detail: string, retryAfterMs?: number) {
    super(code, detail);
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer, or no connection. */
export function unreachable(detail: string): RendezvousError {
  return new RendezvousError('ERR_RENDEZVOUS_UNREACHABLE', detail);
}

/** The rendezvous' own words, made harmless for a terminal. */
export function serverError({
  code,
  reason,
  retryAfterMs,
}: Extract<ServerMessage, { readonly type: 'error' }>): RendezvousError {
  const known = isErrorCode(code) && SERVER_CODES.includes(code) ? code : 'ERR_RENDEZVOUS_UNREACHABLE';
  const again = retryAfterMs ? ` Come back in ${Math.ceil(retryAfterMs / 1000)} s.` : '';
  const harmless = reason.slice(0, 300).replaceAll(/[^\x20-\x7e]/g, '?');
  return new RendezvousError(known, harmless + again, retryAfterMs);
}
