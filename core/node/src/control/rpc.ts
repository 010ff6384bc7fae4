import type { Patch, Snapshot } from '@awl/api';
import { AwlError, isErrorCode, toAwlError } from '@awl/wire';
import { ErrorCodes, NotificationType, RequestType, RequestType0, ResponseError } from 'vscode-jsonrpc/node';
import type { NodeEvent } from '../events.ts';

/** The methods of the control socket. The first request is `hello`; until it is answered nothing else is. */
export const Hello = new RequestType<unknown, { readonly version: string; readonly peerId: string }, unknown>(
  'hello',
);
export const TakeSnapshot = new RequestType0<Snapshot, unknown>('snapshot');
export const Command = new RequestType<unknown, unknown, unknown>('command');
export const PatchMade = new NotificationType<Patch>('patch');
export const EventSeen = new NotificationType<NodeEvent>('event');

/** JSON-RPC leaves −32000 to −32099 to servers: our codes are in the data. */
const FAILED = -32_000;

export function toResponseError(error: unknown): ResponseError<unknown> {
  const { code, message, remedy } = toAwlError(error);
  return new ResponseError(FAILED, message, { code, remedy });
}

/** JSON-RPC's own codes of an error that the other end answered; others tell that the connection is gone. */
const ANSWERED: readonly number[] = [
  ErrorCodes.InternalError,
  ErrorCodes.MethodNotFound,
  ErrorCodes.InvalidParams,
];

/** The failure that the other end reported, or that it went away. */
export function fromResponseError(error: unknown): AwlError {
  if (error instanceof ResponseError) {
    const { code, remedy } = (error.data ?? {}) as { code?: unknown; remedy?: unknown };
    if (isErrorCode(code)) {
      return new AwlError(code, error.message, typeof remedy === 'string' ? { remedy } : {});
    }
    if (ANSWERED.includes(error.code)) return new AwlError('ERR_INTERNAL', error.message);
  }
  return new AwlError('ERR_CONTROL_REFUSED', 'The node ended the connection.', {
    cause: error,
    remedy: 'Look at its log, or start it again with `awl up`.',
  });
}
