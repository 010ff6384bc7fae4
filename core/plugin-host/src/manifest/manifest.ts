import { API_VERSION, type PluginManifest } from '@awl/api';
import { AwlError } from '@awl/wire';
import semver from 'semver';
import { Compile } from 'typebox/compile';
import { describeErrors } from './errors.ts';
import { pluginId, strategyId } from './ids.ts';
import { ManifestSchema, type CheckedManifest } from './schema.ts';
import { SettingsSchema } from './settings.ts';

const validator = Compile(ManifestSchema);

/** A manifest that was checked. */
export interface Manifest {
  readonly id: string;
  readonly manifest: PluginManifest;
  readonly settings: SettingsSchema;
}

function checkUnique(file: string, manifest: PluginManifest): void {
  const { contributes } = manifest;
  for (const kind of [
    'portMappers',
    'natProbes',
    'transports',
    'commands',
    'views',
    'statusItems',
  ] as const) {
    const seen = new Set<string>();
    for (const [index, { id }] of (contributes[kind] ?? []).entries()) {
      if (seen.has(id))
        throw new AwlError(
          'ERR_PLUGIN_MANIFEST',
          `${file}: /contributes/${kind}/${index}/id: ${id} stands there twice`,
        );
      seen.add(id);
    }
  }
  const strategies = new Set<string>();
  for (const [index, strategy] of (contributes.strategies ?? []).entries()) {
    const at = `${file}: /contributes/strategies/${index}`;
    if (strategies.has(strategyId(strategy)))
      throw new AwlError('ERR_PLUGIN_MANIFEST', `${at}: ${strategyId(strategy)} stands there twice`);
    strategies.add(strategyId(strategy));
    if (!manifest.capabilities.includes(strategy.transport)) {
      throw new AwlError(
        'ERR_PLUGIN_MANIFEST',
        `${at}/transport: ${strategy.transport} must also be in /capabilities`,
      );
    }
  }
}

/**
 * Checks a parsed package.json. Throws `ERR_PLUGIN_MANIFEST` naming file, path and what is allowed, or `ERR_PLUGIN_ENGINE` naming both
 * versions.
 */
export function parseManifest(value: unknown, file: string): Manifest {
  if (!validator.Check(value)) {
    throw new AwlError(
      'ERR_PLUGIN_MANIFEST',
      `${file}: ${describeErrors(validator.Errors(value), ManifestSchema)}`,
    );
  }
  const manifest: CheckedManifest = value;
  if (semver.validRange(manifest.engines.awl) === null) {
    throw new AwlError(
      'ERR_PLUGIN_MANIFEST',
      `${file}: /engines/awl must be a semver range, such as "^${API_VERSION}"`,
    );
  }
  if (!semver.satisfies(API_VERSION, manifest.engines.awl)) {
    throw new AwlError(
      'ERR_PLUGIN_ENGINE',
      `${manifest.name} ${manifest.version} is made for awl ${manifest.engines.awl}; this is ${API_VERSION}`,
    );
  }
  checkUnique(file, manifest);
  const settings = new SettingsSchema(
    manifest.contributes.configuration,
    `${file}: /contributes/configuration`,
  );
  return { id: pluginId(manifest.name), manifest, settings };
}
