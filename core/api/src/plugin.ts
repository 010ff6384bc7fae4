import type { EngineState } from './state.ts';
import type { HookName, HookTap } from './hooks.ts';
import type { JsonValue } from './json.ts';
import type { Clock, Random } from './clock.ts';
import type { PortMapper } from './mapper.ts';
import type { NatProbe } from './probe.ts';
import type { PunchStrategy } from './strategy.ts';
import type { Transport } from './transport.ts';
import type { Logger } from './logger.ts';
import type { ViewData } from './view.ts';
import type { Sockets } from './lease.ts';

/** Where something that was contributed in the manifest is registered. Disposing takes it back. */
export interface Registry<T> {
  /** Throws `ERR_PLUGIN_NOT_CONTRIBUTED` for an id that the manifest does not name. */
  register(contribution: T): Disposable;
}

/** A gateway of this host, as its own system tells. */
export interface Gateway {
  readonly address: string;
  readonly interfaceName: string;
  /** Lower-case, colon-separated, where known. */
  readonly mac?: string;
}

/** An address of this host. */
export interface HostInterface {
  readonly name: string;
  readonly address: string;
  readonly family: 4 | 6;
  readonly prefixLength: number;
  readonly internal: boolean;
  /** A guess from the interface's name: a container bridge or a VPN is judged below a real link. */
  readonly kind: 'link' | 'virtual' | 'vpn' | 'loopback';
}

/** One HTTP exchange with the LAN's gateway, for port mappers with the capability `lan-http`. */
export interface LanHttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string;
  /** Default 65536; a longer answer rejects with `ERR_LAN_HTTP_SIZE`. */
  readonly maxBytes?: number;
  readonly signal: AbortSignal;
}

/** What the host lets a plugin see and do beyond sockets. */
export interface Host {
  gateways(): Promise<readonly Gateway[]>;
  interfaces(): readonly HostInterface[];
  /** Only to a gateway's own address, no redirects. Needs the capability `lan-http`. */
  lanHttp(request: LanHttpRequest): Promise<{
    readonly status: number;
    readonly headers: { readonly [name: string]: string };
    readonly body: string;
  }>;
  /**
   * A UDP socket to the LAN: sends to a gateway's address, and with the capability `multicast` to a multicast group on one interface.
   */
  lanUdp(options: {
    readonly multicastGroup?: string;
    readonly localAddress?: string;
    readonly port?: number;
  }): Promise<LanSocket>;
}

/** See {@link Host.lanUdp}. */
export interface LanSocket extends Disposable {
  readonly local: { readonly address: string; readonly port: number };
  send(payload: Uint8Array, to: { readonly address: string; readonly port: number }): void;
  onDatagram:
    | ((payload: Uint8Array, from: { readonly address: string; readonly port: number }) => void)
    | null;
}

/** Small values that outlive a restart; at most 1 MiB per plugin. */
export interface Storage {
  get(key: string): Promise<JsonValue | undefined>;
  set(key: string, value: JsonValue): Promise<void>;
  delete(key: string): Promise<void>;
}

/** A plugin's settings, validated by its schema. */
export interface Configuration {
  get(key: string): JsonValue | undefined;
  onDidChange(listener: (key: string, value: JsonValue | undefined) => void): Disposable;
}

/** All that a plugin can reach. */
export interface PluginContext {
  readonly strategies: Registry<PunchStrategy>;
  readonly portMappers: Registry<PortMapper>;
  readonly natProbes: Registry<NatProbe>;
  /** In-process plugins only. */
  readonly transports: Registry<Transport>;
  readonly hooks: { on<Name extends HookName>(name: Name, tap: HookTap<Name>): Disposable };
  readonly commands: Registry<{
    readonly id: string;
    run(argument?: JsonValue): Promise<JsonValue> | JsonValue;
  }>;
  readonly views: { set(id: string, data: ViewData): void };
  readonly statusItems: { set(id: string, text: string): void };
  readonly configuration: Configuration;
  readonly storage: Storage;
  readonly log: Logger;
  readonly host: Host;
  /** Sockets for a port mapper or probe, outside any attempt. */
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly random: Random;
  readonly engine: { state(): EngineState };
  /** Aborted at deactivation. */
  readonly signal: AbortSignal;
}

/** The module that a plugin exports. */
export interface PluginModule {
  activate(context: PluginContext): void | Promise<void>;
  deactivate?(): void | Promise<void>;
}
