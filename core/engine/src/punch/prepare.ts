import {
  delay,
  type BehaviourVector,
  type Clock,
  type Logger,
  type Preparation,
  type Random,
  type Role,
} from '@awl/api';
import { ADVERT_MAX_BYTES, jsonSizeBytes } from '../signal/messages.ts';
import type { SocketBroker } from '../socket/broker.ts';
import { CheckAgent } from '../socket/check-agent.ts';
import type { Destinations } from '../socket/destinations.ts';
import type { Lane, RegisteredStrategy } from './lane.ts';

/** The offer or answer leaves after this, without strategies that are not ready. */
const PREPARE_TIMEOUT_MS = 1500;
/** Before the plan gives each strategy its own. */
const PREPARE_LIMITS = { sockets: 640, probes: 0, probesPerSecond: 0 };

export interface PrepareParts {
  readonly broker: SocketBroker;
  readonly clock: Clock;
  readonly random: Random;
  readonly role: Role;
  readonly destinations: Destinations;
  readonly local: BehaviourVector;
  readonly remote?: BehaviourVector;
  readonly logFor: (plugin: string) => Logger;
  readonly signal: AbortSignal;
}

/** Lets every strategy open its sockets. One that fails or is late is left out, with its reason. */
export async function prepareLanes(
  strategies: readonly RegisteredStrategy[],
  parts: PrepareParts,
): Promise<Lane[]> {
  return Promise.all(strategies.map((registered) => prepareLane(registered, parts)));
}

async function prepareLane(registered: RegisteredStrategy, parts: PrepareParts): Promise<Lane> {
  const { strategy, owner } = registered;
  const agent = new CheckAgent(parts.clock, parts.random, parts.role);
  const scope = parts.broker.scope({
    limits: PREPARE_LIMITS,
    destinations: parts.destinations,
    checks: agent,
    signal: parts.signal,
  });
  const lane: Lane = {
    ...registered,
    id: strategy.id,
    role: parts.role,
    scope,
    agent,
    preparation: { leases: [] },
    peerAdvert: undefined,
    inbox: [],
    onMessage: null,
    row: { strategy: strategy.id, status: 'waiting', probesSent: 0, probesBudget: 0 },
  };
  agent.onAuthenticated = ({ address }) => parts.destinations.answered(address);
  if (!strategy.prepare) return lane;
  const late = new AbortController();
  const signal = AbortSignal.any([parts.signal, late.signal]);
  try {
    const timeout = delay(parts.clock, PREPARE_TIMEOUT_MS, signal).then(() => {
      throw new Error(`not prepared within ${PREPARE_TIMEOUT_MS} ms`);
    });
    timeout.catch(() => {});
    const { local, remote } = parts;
    const context = {
      sockets: scope.sockets,
      local,
      ...(remote ? { remote } : {}),
      signal,
      log: parts.logFor(owner.plugin),
    };
    lane.preparation = checked(await Promise.race([strategy.prepare(context), timeout]));
  } catch (error) {
    scope.release();
    lane.row = {
      ...lane.row,
      status: 'skipped',
      code: 'unprepared',
      reason: error instanceof Error ? error.message : String(error),
    };
  } finally {
    late.abort();
  }
  return lane;
}

function checked(preparation: Preparation): Preparation {
  if (preparation.advert !== undefined && jsonSizeBytes(preparation.advert) > ADVERT_MAX_BYTES)
    throw new RangeError(`an advert has at most ${ADVERT_MAX_BYTES} bytes`);
  return preparation;
}
