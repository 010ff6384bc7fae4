/** How a user calls a plugin: `upnp` for `@awl/plugin-upnp`, `lucky-ports` for `awl-plugin-lucky-ports`, else the package's name. */
export function pluginId(name: string): string {
  return name.replace(/^(@awl\/plugin-|awl-plugin-)(?=.)/, '');
}

/** `name@major` of a contributed strategy. */
export function strategyId(strategy: { readonly id: string; readonly version: number }): string {
  return `${strategy.id}@${strategy.version}`;
}
