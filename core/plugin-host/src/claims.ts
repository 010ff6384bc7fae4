import type { PluginManifest } from '@awl/api';
import { AwlError } from '@awl/wire';
import { strategyId } from './manifest/ids.ts';
import type { Manifest } from './manifest/manifest.ts';

function claimsOf({ manifest: { contributes }, settings }: Manifest): readonly string[] {
  const names = (kind: string, list: readonly { readonly id: string }[] | undefined): string[] =>
    (list ?? []).map(({ id }) => `${kind} ${id}`);
  return [
    ...(contributes.strategies ?? []).map((strategy) => `strategy ${strategyId(strategy)}`),
    ...names('port mapper', contributes.portMappers),
    ...names('NAT probe', contributes.natProbes),
    ...names('transport', contributes.transports),
    ...names('command', contributes.commands),
    ...names('view', contributes.views),
    ...names('status item', contributes.statusItems),
    ...settings.keys.map((key) => `setting ${key}`),
  ];
}

/** Who holds which id. Ids are unique among enabled plugins. */
export class Claims {
  readonly #owners = new Map<string, PluginManifest>();

  /** Throws `ERR_PLUGIN_CONFLICT` naming both owners. */
  take(plugin: Manifest): void {
    const claims = claimsOf(plugin);
    for (const claim of claims) {
      const owner = this.#owners.get(claim);
      if (owner && owner.name !== plugin.manifest.name) {
        throw new AwlError(
          'ERR_PLUGIN_CONFLICT',
          `${plugin.manifest.name} and ${owner.name} both contribute the ${claim}`,
        );
      }
    }
    for (const claim of claims) this.#owners.set(claim, plugin.manifest);
  }

  release(plugin: Manifest): void {
    for (const claim of claimsOf(plugin)) {
      if (this.#owners.get(claim)?.name === plugin.manifest.name) this.#owners.delete(claim);
    }
  }
}
