import type { ErrorCode } from '@awl/wire';

/** What a command's exit tells a script. */
export const EXIT = { ok: 0, failed: 1, usage: 2, noPath: 3, refused: 4 } as const;

const USAGE: readonly ErrorCode[] = ['ERR_USAGE', 'ERR_TICKET_MALFORMED', 'ERR_TICKET_CHECKSUM'];
const REFUSED: readonly ErrorCode[] = [
  'ERR_AUTH_PASSWORD',
  'ERR_AUTH_REFUSED',
  'ERR_AUTH_RATE_LIMITED',
  'ERR_TICKET_EXPIRED',
  'ERR_TICKET_REVOKED',
  'ERR_PEER_KEY_CHANGED',
  'ERR_TLS_PEER',
  'ERR_RENDEZVOUS_ACCESS',
  'ERR_RENDEZVOUS_KEY_CHANGED',
  'ERR_RENDEZVOUS_KEY_MISMATCH',
  'ERR_CONTROL_REFUSED',
];

export function exitCodeOf(code: ErrorCode): number {
  if (USAGE.includes(code)) return EXIT.usage;
  if (REFUSED.includes(code)) return EXIT.refused;
  return code.startsWith('ERR_PATH_') ? EXIT.noPath : EXIT.failed;
}
