import type {
  BehaviourVector,
  Clock,
  Logger,
  NatProbe,
  NatState,
  PortMapper,
  Random,
  Transport,
} from '@awl/api';
import type { StateStore } from './client.ts';
import type { EngineSettings } from './engine-settings.ts';
import type { EngineEventBus } from './events.ts';
import type { HookBus } from './hook/hook-bus.ts';
import type { Experience } from './punch/experience.ts';
import type { RegisteredStrategy } from './punch/lane.ts';
import type { Owner } from './registry.ts';
import type { Authorization } from './security/authorization.ts';
import type { Identity } from './security/identity.ts';
import type { Mailbox } from './signal/mailbox.ts';
import type { SocketBroker } from './socket/broker.ts';

/** What plugins registered. */
export interface Registered {
  readonly strategies: Map<string, RegisteredStrategy>;
  readonly transports: Map<string, { readonly transport: Transport; readonly owner: Owner }>;
  readonly portMappers: Map<string, { readonly mapper: PortMapper; readonly owner: Owner }>;
  readonly natProbes: Map<string, { readonly probe: NatProbe; readonly owner: Owner }>;
}

/** What the parts of one engine share. */
export interface EngineCore {
  readonly identity: Identity;
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number;
  readonly broker: SocketBroker;
  readonly hooks: HookBus;
  readonly state: StateStore;
  readonly events: EngineEventBus;
  readonly mailbox: Mailbox;
  readonly authorization: Authorization;
  readonly registered: Registered;
  readonly log: Logger;
  /** A log whose lines carry a plugin's name. */
  readonly logFor: (plugin: string) => Logger;
  /** The behaviour measured last; waits for a measurement that is under way. */
  behaviour: () => Promise<BehaviourVector>;
  nat: () => NatState;
  readonly settings: EngineSettings;
  readonly experience: Experience;
}
