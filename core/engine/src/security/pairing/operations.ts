/**
 * What the worker computes, as one message and one answer each. All values but `null` are base64url text. The server keeps no state in the
 * worker, so a worker may end between two operations.
 *
 * Only the server's identifier goes into OPAQUE: its envelope is sealed at registration, before any client is known, and opening it under
 * another client identifier fails. The client's id is bound by the confirmations.
 */
export interface PairingOperations {
  register: {
    params: { readonly password: string; readonly serverId: string };
    result: { readonly setup: string; readonly record: string };
  };
  serverStart: {
    params: {
      readonly setup: string;
      readonly record: string;
      readonly request: string;
      readonly serverId: string;
    };
    result: { readonly state: string; readonly response: string } | null;
  };
  serverFinish: {
    params: { readonly state: string; readonly finish: string; readonly serverId: string };
    result: { readonly sessionKey: string } | null;
  };
  clientStart: {
    params: { readonly password: string };
    result: { readonly state: string; readonly request: string };
  };
  clientFinish: {
    params: {
      readonly password: string;
      readonly state: string;
      readonly response: string;
      readonly serverId: string;
    };
    result: { readonly finish: string; readonly sessionKey: string } | null;
  };
}
export type PairingOperation = keyof PairingOperations;

export interface WorkerRequest {
  readonly id: number;
  readonly operation: PairingOperation;
  readonly params: PairingOperations[PairingOperation]['params'];
}
export interface WorkerResponse {
  readonly id: number;
  /** `null`: what the peer sent does not fit. */
  readonly result: PairingOperations[PairingOperation]['result'];
}
