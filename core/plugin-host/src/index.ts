/** Manifests, activation and isolation of awl plugins. */
export * from './ports.ts';
export * from './plugin-host.ts';
export { pluginId, strategyId } from './manifest/ids.ts';
export { parseManifest, type Manifest } from './manifest/manifest.ts';
export { ManifestSchema, manifestJsonSchema } from './manifest/schema.ts';
export type { InstallResult } from './install/third-party.ts';
export type { PluginExplanation } from './plugin.ts';
export { PROCESS_LIMITS, type ProcessLimits } from './process/limits.ts';
export { createPlugin } from './create-plugin.ts';
