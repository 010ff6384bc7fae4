import { createHmac } from 'node:crypto';

/** For which attempt, and between whom, a ticket is shown. */
export interface TicketProofBinding {
  readonly attemptId: string;
  readonly offererId: string;
  readonly answererId: string;
}

/** What the offer shows instead of the ticket's secret: HMAC-SHA256 under it over attempt and both ids, base64url. */
export function ticketProof(secret: Uint8Array, binding: TicketProofBinding): string {
  return createHmac('sha256', secret)
    .update(['awl ticket proof v1', binding.attemptId, binding.offererId, binding.answererId].join('\0'))
    .digest('base64url');
}
