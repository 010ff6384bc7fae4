import { createHmac } from 'node:crypto';

/** Between whom, and for which attempt, a pairing is. */
export interface PairingBinding {
  readonly attemptId: string;
  /** Peer id of the side whose password it is. */
  readonly serverId: string;
  /** Peer id of the side that typed it. */
  readonly clientId: string;
}

/**
 * HMAC-SHA256 under the session key over what it is for, attempt and both ids: whoever relayed the exchange between two others has another
 * id on at least one side, and fails here. `server` and `client` are the confirmations of each side; `offer` is what the client shows in
 * its offer afterwards.
 */
export function confirmation(
  sessionKey: string,
  what: 'server' | 'client' | 'offer',
  binding: PairingBinding,
): string {
  return createHmac('sha256', Buffer.from(sessionKey, 'base64url'))
    .update(['awl pair v1', what, binding.attemptId, binding.serverId, binding.clientId].join('\0'))
    .digest('base64url');
}
