import type {
  Capability,
  HookName,
  HookOrder,
  HookTap,
  Host,
  NatProbe,
  PortMapper,
  Protocol,
  PunchStrategy,
  Sockets,
  Transport,
} from '@awl/api';

/** Who registered something, for messages and for the trace. */
export interface Owner {
  /** The plugin's name. */
  readonly plugin: string;
  readonly capabilities: readonly Capability[];
}

/**
 * What the plugin host needs of the engine. Each `add` returns a Disposable that takes it back. Ids are unique per kind: a second owner is
 * refused with `ERR_PLUGIN_CONFLICT`, naming both.
 */
export interface EngineRegistry {
  /** `protocol` is what the strategy punches, as its manifest says. */
  addStrategy(strategy: PunchStrategy, owner: Owner, protocol: Protocol): Disposable;
  addTransport(transport: Transport, owner: Owner): Disposable;
  addPortMapper(mapper: PortMapper, owner: Owner): Disposable;
  addNatProbe(probe: NatProbe, owner: Owner): Disposable;
  tap<Name extends HookName>(name: Name, tap: HookTap<Name>, owner: Owner, order?: HookOrder): Disposable;
  /** Sockets outside any attempt, within the owner's capabilities and budget; revoked when `signal` aborts. */
  socketsFor(owner: Owner, signal: AbortSignal): Sockets;
  /** The host as this owner's capabilities let it see. */
  hostFor(owner: Owner): Host;
  /** Sessions whose live path runs on one of the owner's transports. */
  sessionsUsing(owner: Owner): readonly string[];
  /** Moves those sessions to other paths; with `force` they are cut first. */
  releaseTransports(owner: Owner, force: boolean): Promise<void>;
}
