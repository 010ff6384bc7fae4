import type { HookName, HookOrder } from './hooks.ts';
import type { JsonSchema } from './json.ts';
import type { ViewKind } from './view.ts';

/** What a plugin may touch; shown at install and enforced by the broker. */
export type Capability = 'udp' | 'tcp' | 'lan-http' | 'multicast' | 'network' | 'files';

/** The `contributes` of a manifest: everything a plugin may register. */
export interface Contributions {
  readonly strategies?: readonly {
    readonly id: string;
    readonly version: number;
    readonly transport: 'udp' | 'tcp';
    readonly title: string;
  }[];
  readonly portMappers?: readonly { readonly id: string; readonly title: string }[];
  readonly natProbes?: readonly { readonly id: string; readonly title: string }[];
  readonly transports?: readonly { readonly id: string; readonly title: string }[];
  readonly hooks?: readonly { readonly name: HookName; readonly order?: HookOrder }[];
  readonly commands?: readonly { readonly id: string; readonly title: string }[];
  readonly views?: readonly { readonly id: string; readonly kind: ViewKind; readonly title: string }[];
  readonly statusItems?: readonly { readonly id: string; readonly title: string }[];
  /** An object schema; keys are settings, such as `lucky.attempts`. No `pattern`, no `$ref`. */
  readonly configuration?: JsonSchema;
}

/** The parts of a plugin's package.json that awl reads. */
export interface PluginManifest {
  readonly name: string;
  readonly version: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly engines: { readonly awl: string };
  /** True: the plugin is off until the user enables it, although it is built in. */
  readonly disabledByDefault?: boolean;
  readonly capabilities: readonly Capability[];
  readonly contributes: Contributions;
}

/** The version of this API, which `engines.awl` of a manifest is compared with. */
export const API_VERSION = '0.1.0';
