import type { Protocol } from './address.ts';
import type { TransportBehaviour } from './behaviour.ts';
import type { Clock, Random } from './clock.ts';
import type { Sockets } from './lease.ts';

/** One observation that supports one value of one field of the behaviour vector. */
export interface Evidence<Field extends keyof TransportBehaviour = keyof TransportBehaviour> {
  readonly protocol: Protocol;
  readonly field: Field;
  readonly value: TransportBehaviour[Field];
  /** 0 to 1: how much one such observation is worth. */
  readonly weight: number;
  /** What was seen, for a person: "203.0.113.2:7777 saw port 40031, :7778 saw 40031". */
  readonly observation: string;
  /** The probe's id. */
  readonly source: string;
}

export interface ProbeContext {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** Adds evidence about the NAT; the engine's classifier weighs it. */
export interface NatProbe {
  readonly id: string;
  gather(context: ProbeContext): AsyncIterable<Evidence>;
}
