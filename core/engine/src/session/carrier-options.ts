import type { Duplex } from 'node:stream';
import type { Clock, DatagramChannel, Role } from '@awl/api';
import type { ErrorCode } from '@awl/wire';
import type { Identity } from '../security/identity.ts';
import type { OpenedDatagram } from './datagram.ts';
import type { SessionLimits } from './limits.ts';
import type { PathDescription, SessionPath } from './path.ts';

/** A punched path to make part of a session. */
export interface AttachOptions {
  /** The reliable stream; the session's from now on, also when this fails. */
  readonly duplex: Duplex;
  readonly describe: PathDescription;
  /** Hash of the offer, answer and go that led to this path; default: the session's own. */
  readonly transcript?: Uint8Array;
  /** For datagrams beside the stream. What else uses the socket (checks, the transport) is told apart below it. */
  readonly datagrams?: DatagramChannel;
  /** Prepare the path only; `select` of what `attach` gives puts it into service. For the controlling side. */
  readonly hold?: boolean;
}

export interface CarrierOptions {
  readonly role: Role;
  readonly identity: Identity;
  readonly peerId: string;
  readonly sessionId: Buffer;
  readonly transcript: Buffer;
  readonly clock: Clock;
  readonly limits: SessionLimits;
  readonly events: CarrierEvents;
}

export interface CarrierEvents {
  /** More of the peer's byte stream. Returns what is wrong with it, or undefined. */
  receive(chunk: Buffer): string | undefined;
  /** Writes more of ours; returns where it ended. */
  pull(into: Buffer, from: number, to: number): number;
  selected(path: SessionPath): void;
  /** The live path is gone. */
  lost(code: ErrorCode, reason: string): void;
  datagram(datagram: OpenedDatagram): void;
  /** The peer closed the session, or broke its protocol. */
  ended(code: ErrorCode, reason: string): void;
}
